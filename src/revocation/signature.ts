/** Verifies the signature of a CRL or an OCSP response; accepts strong algorithms only. */
import {
  createPublicKey,
  type KeyObject,
  constants as openssl,
  verify,
  type X509Certificate,
} from 'node:crypto';
import { DerCursor, derElement, tags } from '../pki/der-cursor.ts';
import { derOid } from '../pki/der-writer.ts';
import {
  type Algorithm,
  readPss,
  rsaPss,
  type SignatureHash,
  signatureAlgorithms,
  signatureHashOf,
} from '../pki/signature.ts';

export interface Signed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly algorithm: Algorithm;
}

const weak: ReadonlySet<SignatureHash> = new Set(['md5', 'sha1', 'unknown']);

/** Describes what is weak about the algorithm; null if it is strong. An unknown algorithm counts as weak. */
export function weakAlgorithm(algorithm: Algorithm): string | null {
  const hash = signatureHashOf(algorithm);
  return weak.has(hash) ? `a signature with ${hash} (${algorithm.oid})` : null;
}

/** Whether the key made the signature, with a strong algorithm that matches the type of the key. */
export function isSignedBy(signed: Signed, x509: Pick<X509Certificate, 'publicKey'>): boolean {
  const { bytes, signature, algorithm } = signed;
  const hash = signatureHashOf(algorithm);
  if (weak.has(hash)) return false;
  try {
    const { publicKey: key } = x509;
    const type = key.asymmetricKeyType ?? '';
    if (algorithm.oid === rsaPss) return isPssSignedBy(signed, key);
    const own: Readonly<Record<string, Partial<Record<SignatureHash, string>>>> = signatureAlgorithms;
    if (own[type]?.[hash] !== algorithm.oid) return false;
    return verify(hash === 'none' ? null : hash, bytes, key, signature);
  } catch {
    // OpenSSL cannot parse the key or the signature.
    return false;
  }
}

/**
 * RFC 4055 §3.1 allows MGF1 another hash than the message, SHA-1 included, which does not weaken the signature. Node has
 * no option for it, but accepts a key that is limited to these parameters.
 */
function isPssSignedBy({ bytes, signature, algorithm: { parameters } }: Signed, key: KeyObject): boolean {
  const pss = parameters === null ? null : readPss(parameters);
  if (pss === null || parameters === null) return false;
  const { RSA_PKCS1_PSS_PADDING: padding } = openssl;
  const { hash, maskHash, saltLength } = pss;
  const type = key.asymmetricKeyType;
  if (type !== 'rsa' && type !== 'rsa-pss') return false;
  const isBound = key.asymmetricKeyDetails?.mgf1HashAlgorithm !== undefined;
  const bound = maskHash !== hash && !isBound ? bindKey(key, parameters) : key;
  return verify(hash, bytes, { key: bound, padding, saltLength }, signature);
}

/** The same RSA key as an id-RSASSA-PSS key that is limited to these parameters (RFC 4055 §3.1). */
function bindKey(key: KeyObject, parameters: Uint8Array): KeyObject {
  const spki = key.export({ type: 'spki', format: 'der' });
  const cursor = new DerCursor(spki);
  cursor.open(spki.length, tags.sequence);
  cursor.read(spki.length, tags.sequence);
  const bits = cursor.element(spki.length, tags.bitString);
  const algorithm = derElement(tags.sequence, derOid(rsaPss), parameters);
  return createPublicKey({ key: derElement(tags.sequence, algorithm, bits), type: 'spki', format: 'der' });
}
