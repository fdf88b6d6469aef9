/** SPKI pins (`clients.pins`): a key on the validated path must be pinned, beside all other checks (RFC 7469 §2.4). */
import type { Certificate } from '../pki/certificate.ts';

/** `path`: validated, leaf first. `pins`: base64 SHA-256 of SubjectPublicKeyInfo. */
export function isPinned(path: readonly Certificate[], pins: ReadonlySet<string>): boolean {
  return path.some(({ spkiPin }) => pins.has(spkiPin));
}
