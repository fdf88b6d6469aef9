/** Key types: the type of a certificate's key, and the generation of keys. */
import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto';

export type CertificateKey =
  | { readonly type: 'rsa'; readonly bits: number }
  /** `P-256`, `P-384`, `P-521`, OpenSSL's name of other curves, or `explicit` for unnamed parameters. */
  | { readonly type: 'ec'; readonly curve: string }
  /** OpenSSL's name of the type (`ed25519`, `dsa`), or the algorithm's OID if OpenSSL does not know it. */
  | { readonly type: 'other'; readonly name: string };

const nistNames: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

export function keyOf(x509: X509Certificate, algorithm: string): CertificateKey {
  let key: KeyObject;
  try {
    key = x509.publicKey;
  } catch {
    return { type: 'other', name: algorithm };
  }
  return keyTypeOf(key, algorithm);
}

/** `name`: what a type that Node does not know is called. */
export function keyTypeOf(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  name = 'unknown',
): CertificateKey {
  if (type === 'rsa' || type === 'rsa-pss') return { type: 'rsa', bits: details?.modulusLength ?? 0 };
  if (type === 'ec') {
    const curve = details?.namedCurve ?? 'explicit';
    return { type: 'ec', curve: nistNames[curve] ?? curve };
  }
  return { type: 'other', name: type ?? name };
}

export type KeyKind =
  | 'P-256'
  | 'P-384'
  | 'P-521'
  | 'secp256k1'
  | 'rsa-1024'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'
  | 'ed25519'
  | 'dsa-1024';

export function makeKey(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'P-256':
    case 'P-384':
    case 'P-521':
    case 'secp256k1':
      return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
    case 'rsa-1024':
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'dsa-1024':
      return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey;
    default:
      return kind satisfies never;
  }
}
