/** What a certificate says its key is for: key usage (RFC 5280 §4.2.1.3) and Netscape's certificate type before it. */
import type { KeyUsage } from '@peculiar/asn1-x509';
import { DerCursor } from './der-cursor.ts';

const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsageName = (typeof keyUsageNames)[number];

export function readKeyUsage(usage: KeyUsage | null): ReadonlySet<KeyUsageName> | null {
  if (usage === null) return null;
  const bits = usage.toNumber();
  return new Set(keyUsageNames.filter((_, bit) => (bits & (1 << bit)) !== 0));
}

export interface NetscapeCertType {
  readonly sslClient: boolean;
}

/** `value`: the DER of a netscape-cert-type extension (2.16.840.1.113730.1.1), a BIT STRING. Throws DerError. */
export function readNetscapeCertType(value: Uint8Array): NetscapeCertType {
  const cursor = new DerCursor(value);
  const bits = cursor.readNamedBits(value.length);
  cursor.close(value.length);
  return { sslClient: (bits & 1) !== 0 };
}
