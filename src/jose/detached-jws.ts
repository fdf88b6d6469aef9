/**
 * Reads a JWS with detached content (RFC 7515 appendix F) strictly, and verifies it with the content. The content is signed as
 * Base64url, or as it is (RFC 7797: `b64` false).
 */
import type { KeyObject } from 'node:crypto';
import { flattenedVerify } from 'jose';
import type { SignatureAlgorithm } from './algorithm.ts';
import { decodeBase64url, headerOf, type JwsHeader, readHeaderMembers } from './jws.ts';

/** The two parts that are sent, Base64url without padding, and the header decoded. */
export interface DetachedJws {
  readonly protected: string;
  readonly signature: string;
  readonly header: JwsHeader;
  /** False: the content is signed as it is. */
  readonly encodesContent: boolean;
}

export type DetachedReading =
  | { readonly ok: true; readonly jws: DetachedJws }
  /** `syntax`: not `header..signature`. `header`: the header is malformed, or has a member that is refused. */
  | { readonly ok: false; readonly fault: 'syntax' | 'header' };

/** `text`: limited in size by the caller. */
export function readDetachedJws(text: string): DetachedReading {
  const [head = '', payload, signature = '', ...more] = text.split('.', 4);
  // The part between the dots must be empty: content that is sent along would not be the body.
  if (head === '' || payload !== '' || signature === '' || more.length > 0)
    return { ok: false, fault: 'syntax' };
  const bytes = decodeBase64url(head);
  if (bytes === null || decodeBase64url(signature) === null) return { ok: false, fault: 'syntax' };
  const members = readHeaderMembers(bytes);
  const encodesContent = members && readEncoding(members);
  const header = members && headerOf(members);
  if (header === null || encodesContent === null) return { ok: false, fault: 'header' };
  return { ok: true, jws: { protected: head, signature, header, encodesContent } };
}

/**
 * Whether the content is signed as Base64url; null: the header demands another extension, or has `b64` without demanding it
 * (RFC 7797 §6), so that another reader would ignore it and verify something else.
 */
function readEncoding({ crit, b64 }: Readonly<Record<string, unknown>>): boolean | null {
  if (crit === undefined) return b64 === undefined ? true : null;
  if (!Array.isArray(crit) || crit.length !== 1 || crit[0] !== 'b64') return null;
  return typeof b64 === 'boolean' ? b64 : null;
}

/** `algorithm`: from an allow-list, and equal to that of the header. Never rejects: what cannot be verified is false. */
export async function verifyDetachedJws(
  { protected: head, signature, encodesContent }: DetachedJws,
  content: Buffer,
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: SignatureAlgorithm },
): Promise<boolean> {
  try {
    const payload = encodesContent ? content.toString('base64url') : content;
    await flattenedVerify({ protected: head, payload, signature }, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}
