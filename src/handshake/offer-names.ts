/** Names of what a client offers, from IANA's registries: those that clients of this decade send. */
import { cipherSuiteNames } from './cipher-suite-names.ts';

const groupNames: Readonly<Record<number, string>> = {
  19: 'secp192r1',
  21: 'secp224r1',
  22: 'secp256k1',
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  26: 'brainpoolP256r1',
  27: 'brainpoolP384r1',
  28: 'brainpoolP512r1',
  29: 'x25519',
  30: 'x448',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  4589: 'SecP384r1MLKEM1024',
};

const signatureNames: Readonly<Record<number, string>> = {
  513: 'rsa_pkcs1_sha1',
  515: 'ecdsa_sha1',
  1025: 'rsa_pkcs1_sha256',
  1027: 'ecdsa_secp256r1_sha256',
  1281: 'rsa_pkcs1_sha384',
  1283: 'ecdsa_secp384r1_sha384',
  1537: 'rsa_pkcs1_sha512',
  1539: 'ecdsa_secp521r1_sha512',
  2052: 'rsa_pss_rsae_sha256',
  2053: 'rsa_pss_rsae_sha384',
  2054: 'rsa_pss_rsae_sha512',
  2055: 'ed25519',
  2056: 'ed448',
  2057: 'rsa_pss_pss_sha256',
  2058: 'rsa_pss_pss_sha384',
  2059: 'rsa_pss_pss_sha512',
};

const tables = {
  'cipher suite': cipherSuiteNames,
  'key exchange group': groupNames,
  'signature algorithm': signatureNames,
} as const;

const MAX_LISTED = 4;

/** Such as `key exchange groups secp256k1, 0x4567`. At most four, and how many more. */
export function describeOffer(kind: keyof typeof tables, codes: readonly number[]): string {
  return `${kind}${codes.length === 1 ? '' : 's'} ${listOffer(kind, codes)}`;
}

/** The same without its kind. */
export function listOffer(kind: keyof typeof tables, codes: readonly number[]): string {
  return listed(codes.map((code) => tables[kind][code] ?? `0x${code.toString(16).padStart(4, '0')}`));
}

export function listed(texts: readonly string[]): string {
  const rest = texts.length - MAX_LISTED;
  return `${texts.slice(0, MAX_LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
