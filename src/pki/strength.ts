/** Which keys and signatures are too weak to accept; the same rule for leaves and CAs. */
import type { Certificate } from './certificate.ts';

const curves: ReadonlySet<string> = new Set(['P-256', 'P-384', 'P-521']);
const edwards: ReadonlySet<string> = new Set(['ed25519', 'ed448']);

/** What is weak about the key; null: RSA from 2048 bits, the NIST curves and the Edwards curves are accepted. */
export function weakKey({ key }: Pick<Certificate, 'key'>): string | null {
  switch (key.type) {
    case 'rsa':
      return key.bits >= 2048 ? null : `an RSA key of ${key.bits} bits`;
    case 'ec':
      return curves.has(key.curve) ? null : `an EC key on ${key.curve}`;
    case 'other':
      return edwards.has(key.name) ? null : `a key of type ${key.name}`;
    default:
      return key satisfies never;
  }
}

/** What is weak about the signature on the certificate; null: nothing. */
export function weakSignature({ signatureHash: hash }: Pick<Certificate, 'signatureHash'>): string | null {
  if (hash === 'unknown') return 'a signature whose hash is not known';
  return hash === 'md5' || hash === 'sha1' ? `a signature with ${hash === 'md5' ? 'MD5' : 'SHA-1'}` : null;
}
