/** Names of algorithms for people, and their strength in bits (NIST SP 800-57 part 1, tables 2 and 3). */
import type { CertificateKey } from '../pki/key.ts';
import { type Algorithm, readPss, rsaPss, signatureAlgorithms, signatureHashOf } from '../pki/signature.ts';

/** `RSA 2048 bits`, `EC P-256`, `Ed25519`. */
export function keyName(key: CertificateKey): string {
  switch (key.type) {
    case 'rsa':
      return `RSA ${key.bits} bits`;
    case 'ec':
      return `EC ${key.curve}`;
    case 'other':
      return edwards[key.name]?.name ?? key.name;
    default:
      return key satisfies never;
  }
}

const edwards: Readonly<Record<string, { readonly name: string; readonly bits: number }>> = {
  ed25519: { name: 'Ed25519', bits: 128 },
  ed448: { name: 'Ed448', bits: 224 },
};

const curves: Readonly<Record<string, number>> = { 'P-256': 128, 'P-384': 192, 'P-521': 256 };

/** Smallest modulus of each class, largest first. */
const rsaClasses = [
  [15_360, 256],
  [7680, 192],
  [3072, 128],
  [2048, 112],
  [1024, 80],
] as const;

/** null: the table has no value for this kind of key. */
export function keyStrength(key: CertificateKey): number | null {
  switch (key.type) {
    case 'rsa':
      return rsaClasses.find(([size]) => key.bits >= size)?.[1] ?? 0;
    case 'ec':
      return curves[key.curve] ?? null;
    case 'other':
      return edwards[key.name]?.bits ?? null;
    default:
      return key satisfies never;
  }
}

const schemes: Readonly<Record<string, string>> = { rsa: 'RSA', ec: 'ECDSA', dsa: 'DSA' };
const hashes: Readonly<Record<string, string>> = {
  md5: 'MD5',
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** `SHA-256 with RSA`, `Ed25519`; the OID of an unknown algorithm. */
export function signatureName(algorithm: Algorithm): string {
  const { oid, parameters } = algorithm;
  if (oid === rsaPss) {
    const hash = parameters === null ? undefined : hashes[readPss(parameters)?.hash ?? ''];
    return `${hash ?? 'an unknown hash'} with RSA-PSS`;
  }
  for (const [scheme, byHash] of Object.entries(signatureAlgorithms)) {
    if (!Object.values<string>(byHash).includes(oid)) continue;
    const hash = hashes[signatureHashOf(algorithm)];
    return hash === undefined
      ? (edwards[scheme]?.name ?? scheme)
      : `${hash} with ${schemes[scheme] ?? scheme}`;
  }
  return oid;
}

const purposes: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

/** The name of an extended key usage; an unknown OID stays as it is. */
export function purposeName(oid: string): string {
  return purposes[oid] ?? oid;
}
