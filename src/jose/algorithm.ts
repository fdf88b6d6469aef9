/** The signature algorithms that a policy may allow (RFC 7518 §3.1, RFC 8037 §3.1), and which key each one takes. */

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
