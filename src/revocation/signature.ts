/** Checks a signature over DER under an algorithm that the signer states, and takes only strong ones. */
import { constants as openssl, verify, type X509Certificate } from 'node:crypto';
import type { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { type SignatureHash, signatureAlgorithms, signatureHashOf } from '../pki/signature.ts';

export interface Signed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly algorithm: AlgorithmIdentifier;
}

const rsaPss = '1.2.840.113549.1.1.10';
const weak: ReadonlySet<SignatureHash> = new Set(['md5', 'sha1', 'unknown']);

/** What is weak about the algorithm, or null; an unknown one counts as weak. */
export function weakAlgorithm(algorithm: AlgorithmIdentifier): string | null {
  const hash = hashOf(algorithm);
  return weak.has(hash) ? `a signature with ${hash} (${algorithm.algorithm})` : null;
}

/** Whether the certificate's key made the signature, by an algorithm that is the key's own and not weak. */
export function isSignedBy({ bytes, signature, algorithm }: Signed, x509: X509Certificate): boolean {
  const hash = hashOf(algorithm);
  if (weak.has(hash)) return false;
  try {
    const { publicKey: key } = x509;
    const type = key.asymmetricKeyType ?? '';
    if (algorithm.algorithm === rsaPss) {
      if (type !== 'rsa' && type !== 'rsa-pss') return false;
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = openssl;
      return verify(hash, bytes, { key, padding, saltLength }, signature);
    }
    const own: Readonly<Record<string, Partial<Record<SignatureHash, string>>>> = signatureAlgorithms;
    if (own[type]?.[hash] !== algorithm.algorithm) return false;
    return verify(hash === 'none' ? null : hash, bytes, key, signature);
  } catch {
    // A key or a signature that OpenSSL cannot even read proves nothing.
    return false;
  }
}

function hashOf(algorithm: AlgorithmIdentifier): SignatureHash {
  try {
    return signatureHashOf(algorithm);
  } catch {
    return 'unknown';
  }
}
