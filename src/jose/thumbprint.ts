/** The thumbprint of a public key (RFC 7638): the same for a key however and wherever it is written. */
import { createHash, type KeyObject } from 'node:crypto';

/** The members that define a public key, by type (RFC 7638 §3.2, RFC 8037 §2), in the order in which they are hashed. */
const required = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
} as const;

export type KeyType = keyof typeof required;

export function isKeyType(kty: unknown): kty is KeyType {
  return typeof kty === 'string' && Object.hasOwn(required, kty);
}

/** The public members of a key of this type. */
export function membersOf(kty: KeyType): readonly string[] {
  return required[kty];
}

/**
 * Base64url SHA-256. `jwk`: public members of a key that was found well-formed; others are ignored. Throws TypeError for a
 * type of key without a definition.
 */
export function thumbprintOf(jwk: Readonly<Record<string, string>>): string {
  const { kty } = jwk;
  if (!isKeyType(kty)) throw new TypeError('a key without a thumbprint');
  const ordered = Object.fromEntries(required[kty].map((name) => [name, jwk[name]]));
  return createHash('sha256').update(JSON.stringify(ordered)).digest('base64url');
}

/** The public members of a key; null: a type that JSON Web Keys do not have, as DSA. */
export function publicMembersOf(key: KeyObject): Readonly<Record<string, string>> | null {
  let exported: Record<string, unknown>;
  try {
    exported = { ...key.export({ format: 'jwk' }) };
  } catch {
    return null;
  }
  const { kty } = exported;
  if (!isKeyType(kty)) return null;
  return Object.fromEntries(membersOf(kty).map((name) => [name, String(exported[name])]));
}
