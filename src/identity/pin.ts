/** SPKI pins: one key on the validated path must be among them, besides everything else (RFC 7469 §2.4). */
import type { Certificate } from '../pki/certificate.ts';

/** `pins`: base64 SHA-256 of SubjectPublicKeyInfo; `path`: leaf to root, validated. */
export function isPinned(path: readonly Certificate[], pins: ReadonlySet<string>): boolean {
  return path.some(({ spkiPin }) => pins.has(spkiPin));
}
