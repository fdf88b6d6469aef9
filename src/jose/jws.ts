/** Reads a JWS in compact serialization (RFC 7515 §7.1) strictly, and verifies it by an algorithm that the caller allows. */
import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import type { SignatureAlgorithm } from './algorithm.ts';
import { readJson } from './strict-json.ts';

/** What a header says; anyone could have written it until the signature is verified. */
export interface JwsHeader {
  /** Any text: compare it with an allow-list. */
  readonly alg: string;
  /** null: the header names no key. */
  readonly kid: string | null;
  readonly typ: string | null;
}

/** The three parts as received, Base64url without padding, and the header decoded. The payload of a detached JWS is empty. */
export interface CompactJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
  readonly header: JwsHeader;
}

export type JwsReading =
  | { readonly ok: true; readonly jws: CompactJws }
  /** `syntax`: not three parts of Base64url, of which the first begins as a JSON object. `header`: the header is malformed, or has a member that is refused. */
  | { readonly ok: false; readonly fault: 'syntax' | 'header' };

/**
 * Members for which a header is refused. `crit` demands extensions, of which none is supported (RFC 7515 §4.1.11); `b64` is
 * one of them (RFC 7797), which detached-jws.ts supports.
 */
const extensionMembers = ['crit', 'b64'] as const;

/** Refused too: they bring a key or its address along, which would let the sender choose the key (RFC 8725 §3.10). */
const keyMembers = ['jwk', 'jku', 'x5c', 'x5u'] as const;

/** `text`: limited in size by the caller. */
export function readCompactJws(text: string): JwsReading {
  const [head, payload, signature, ...more] = text.split('.', 4);
  const isComplete = head !== undefined && payload !== undefined && signature !== undefined;
  if (!isComplete || more.length > 0) return { ok: false, fault: 'syntax' };
  const bytes = decodeBase64url(head);
  if (bytes === null || decodeBase64url(payload) === null || decodeBase64url(signature) === null)
    return { ok: false, fault: 'syntax' };
  // Another kind of token may happen to have three such parts.
  if (bytes[0] !== 0x7b) return { ok: false, fault: 'syntax' };
  const header = readHeader(bytes);
  if (header === null) return { ok: false, fault: 'header' };
  return { ok: true, jws: { protected: head, payload, signature, header } };
}

/** The bytes; null: another spelling than the only one of RFC 7515 §2, such as with padding or with unused bits set. */
export function decodeBase64url(text: string): Buffer | null {
  // Node's decoder ignores what does not belong to the encoding.
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function readHeader(bytes: Uint8Array): JwsHeader | null {
  const members = readHeaderMembers(bytes);
  if (members === null || extensionMembers.some((name) => Object.hasOwn(members, name))) return null;
  return headerOf(members);
}

/** The members of a header, each once; null: no JSON object, or one that brings a key along. */
export function readHeaderMembers(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  const json = readJson(bytes);
  if (!json.ok || typeof json.value !== 'object' || json.value === null || Array.isArray(json.value))
    return null;
  const members = json.value as Readonly<Record<string, unknown>>;
  return keyMembers.some((name) => Object.hasOwn(members, name)) ? null : members;
}

/** null: a member of the wrong type. */
export function headerOf(members: Readonly<Record<string, unknown>>): JwsHeader | null {
  const { alg, kid = null, typ = null } = members;
  if (typeof alg !== 'string' || alg === '') return null;
  if (kid !== null && typeof kid !== 'string') return null;
  if (typ !== null && typeof typ !== 'string') return null;
  // A null that is written is no text either.
  if ((kid === null && Object.hasOwn(members, 'kid')) || (typ === null && Object.hasOwn(members, 'typ')))
    return null;
  return { alg, kid, typ };
}

/** `algorithm`: from an allow-list, and equal to that of the header. Never rejects: what cannot be verified is false. */
export async function verifyJws(
  { protected: head, payload, signature }: Pick<CompactJws, 'protected' | 'payload' | 'signature'>,
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: SignatureAlgorithm },
): Promise<boolean> {
  try {
    await compactVerify(`${head}.${payload}.${signature}`, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}
