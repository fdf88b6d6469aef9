/** Verifies a signature that is sent without a header (RFC 7518 §3.3 to §3.5, RFC 8037 §3.1), outside of the event loop. */
import { constants, type KeyObject, verify } from 'node:crypto';
import type { SignatureAlgorithm } from '../jose/algorithm.ts';

interface Scheme {
  /** Node chooses a digest itself if that of another type of key is null. */
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** null: part of the algorithm. */
  readonly digest: string | null;
  readonly options: { readonly padding?: number; readonly saltLength?: number };
  /** Octets of `r` and of `s`, for ECDSA. */
  readonly octets?: number;
}

const pss = (digest: string): Scheme => ({
  keyType: 'rsa',
  digest,
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
});
const pkcs1 = (digest: string): Scheme => ({
  keyType: 'rsa',
  digest,
  options: { padding: constants.RSA_PKCS1_PADDING },
});
const ecdsa = (digest: string, octets: number): Scheme => ({ keyType: 'ec', digest, options: {}, octets });

const schemes: Readonly<Record<SignatureAlgorithm, Scheme>> = {
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  RS256: pkcs1('sha256'),
  RS384: pkcs1('sha384'),
  RS512: pkcs1('sha512'),
  ES256: ecdsa('sha256', 32),
  ES384: ecdsa('sha384', 48),
  ES512: ecdsa('sha512', 66),
  EdDSA: { keyType: 'ed25519', digest: null, options: {} },
};

/** Never rejects: what cannot be verified is false. `content` must not change until then. */
export function verifyRaw(
  { content, signature }: { readonly content: Uint8Array; readonly signature: Uint8Array },
  { key, algorithm }: { readonly key: KeyObject; readonly algorithm: SignatureAlgorithm },
): Promise<boolean> {
  const { keyType, digest, options, octets } = schemes[algorithm];
  if (key.asymmetricKeyType !== keyType) return Promise.resolve(false);
  // ECDSA signatures are sent as `r` and `s` of fixed length (RFC 7518 §3.4) or in DER (RFC 3279 §2.2.3).
  const isFixed = octets !== undefined && signature.length === 2 * octets;
  const dsaEncoding = isFixed ? 'ieee-p1363' : 'der';
  return new Promise((resolve) => {
    try {
      verify(digest, content, { key, dsaEncoding, ...options }, signature, (error, isValid) =>
        resolve(error === null && isValid),
      );
    } catch {
      resolve(false);
    }
  });
}
