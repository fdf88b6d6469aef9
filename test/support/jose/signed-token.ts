/** Access tokens as a server would sign them, and as an attacker would: every part can be chosen. */
import { constants, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

export interface TokenParts {
  /** A private key, or a secret for HS256; absent: the signature is empty. */
  readonly key?: KeyObject | Buffer;
  readonly alg: string;
  /** Further members of the header; a text replaces the whole header. */
  readonly header?: Readonly<Record<string, unknown>> | string;
  /** A text replaces the JSON. */
  readonly claims: Readonly<Record<string, unknown>> | string;
}

export function signedToken({ key, alg, header = {}, claims }: TokenParts): string {
  const head = typeof header === 'string' ? header : JSON.stringify({ alg, ...header });
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const input = [head, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const signature = key === undefined ? Buffer.alloc(0) : signatureOf(input, key, alg);
  return `${input}.${signature.toString('base64url')}`;
}

function signatureOf(input: string, key: KeyObject | Buffer, alg: string): Buffer {
  if (Buffer.isBuffer(key)) return createHmac('sha256', key).update(input).digest();
  const hash = `sha${alg.slice(2)}`;
  const bytes = Buffer.from(input);
  switch (alg.slice(0, 2)) {
    case 'ES':
      return sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
    case 'PS':
      return sign(hash, bytes, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'RS':
      return sign(hash, bytes, key);
    default:
      return sign(null, bytes, key);
  }
}

/** The public members of a key, with `kid` and others. */
export function publicJwk(key: KeyObject, members: Readonly<Record<string, unknown>> = {}): object {
  return { ...createPublicKey(key).export({ format: 'jwk' }), ...members };
}

export function keySetOf(...keys: readonly object[]): string {
  return JSON.stringify({ keys });
}
