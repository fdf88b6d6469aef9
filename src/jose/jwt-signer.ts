/** Signs a JWT with a key of the gateway, as RFC 7523 §2.2 has clients authenticate. */
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SignatureAlgorithm } from './algorithm.ts';

interface Signer {
  readonly key: KeyObject;
  /** It must be one for which the key is fit. */
  readonly algorithm: SignatureAlgorithm;
  /** null: the header names no key. */
  readonly kid: string | null;
}

/** In compact serialization. Rejects where the algorithm does not take the key. */
export function signJwt(
  claims: Readonly<Record<string, string | number>>,
  { key, algorithm, kid }: Signer,
): Promise<string> {
  const header = { alg: algorithm, typ: 'JWT', ...(kid === null ? {} : { kid }) };
  return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);
}
