/** The signature algorithms that a policy may allow (RFC 7518 §3.1, RFC 8037 §3.1), and which key each one takes. */
import type { KeyObject } from 'node:crypto';

export const signatureAlgorithms = [
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'RS256',
  'RS384',
  'RS512',
] as const;

/** `none` and HMAC are no members: neither is ever verified with a key of a set. */
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return signatureAlgorithms.some((each) => each === name);
}

/** Type and curve of the key that the algorithm takes; `crv` null: RSA has none. */
export function keyKindOf(algorithm: SignatureAlgorithm): {
  readonly kty: string;
  readonly crv: string | null;
} {
  switch (algorithm) {
    case 'PS256':
    case 'PS384':
    case 'PS512':
    case 'RS256':
    case 'RS384':
    case 'RS512':
      return { kty: 'RSA', crv: null };
    case 'ES256':
      return { kty: 'EC', crv: 'P-256' };
    case 'ES384':
      return { kty: 'EC', crv: 'P-384' };
    case 'ES512':
      return { kty: 'EC', crv: 'P-521' };
    case 'EdDSA':
      return { kty: 'OKP', crv: 'Ed25519' };
    default:
      return algorithm satisfies never;
  }
}

const curveNames: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** Whether the algorithm takes the key: its type and its curve, and 2048 bits of RSA (RFC 7518 §3.3). */
export function isKeyFor(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  algorithm: SignatureAlgorithm,
): boolean {
  const { kty, crv } = keyKindOf(algorithm);
  if (kty === 'RSA') return type === 'rsa' && (details?.modulusLength ?? 0) >= 2048;
  return kty === 'EC' ? type === 'ec' && curveNames[details?.namedCurve ?? ''] === crv : type === 'ed25519';
}
