/** The two kinds of keys of which a server may have a certificate each; it chooses by what the client can verify. */
import { X509Certificate } from 'node:crypto';
import { suitesOf } from './cipher-suites.ts';
import { offeredSchemes, signatureScheme } from './signature-schemes.ts';
import type { VersionName } from './versions.ts';

export type KeyType = 'RSA' | 'EC';

/** null: neither, or the certificate cannot be parsed. `certificate`: DER. */
export function keyTypeOf(certificate: Uint8Array | undefined): KeyType | null {
  if (certificate === undefined) return null;
  try {
    const { asymmetricKeyType: type } = new X509Certificate(certificate).publicKey;
    if (type === 'rsa' || type === 'rsa-pss') return 'RSA';
    return type === 'ec' ? 'EC' : null;
  } catch {
    return null;
  }
}

export function otherKeyType(type: KeyType): KeyType {
  return type === 'RSA' ? 'EC' : 'RSA';
}

const keyExchanges: Readonly<Record<KeyType, readonly string[]>> = {
  RSA: ['ECDHE_RSA', 'DHE_RSA', 'RSA'],
  EC: ['ECDHE_ECDSA'],
};
const schemeNames: Readonly<Record<KeyType, RegExp>> = { RSA: /^rsa_/, EC: /^ecdsa_/ };

/** What a ClientHello offers so that only a certificate with such a key fits. Codes. */
export interface KeyTypeOffer {
  /** Up to TLS 1.2 the cipher suite decides. */
  readonly suites?: readonly number[];
  /** In TLS 1.3 the signature scheme of the handshake decides. */
  readonly signatureSchemes?: readonly number[];
}

export function offerFor(type: KeyType, version: VersionName): KeyTypeOffer {
  if (version === 'TLS 1.3') return { signatureSchemes: schemesFor(type).map(({ code }) => code) };
  const suites = suitesOf(version).filter(({ keyExchange }) => keyExchanges[type].includes(keyExchange));
  return { suites: suites.map(({ code }) => code) };
}

/** The signature schemes that need such a key. */
export function schemesFor(type: KeyType): { readonly code: number; readonly name: string }[] {
  return offeredSchemes.map(signatureScheme).filter(({ name }) => schemeNames[type].test(name));
}
