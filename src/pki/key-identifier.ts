/** The key identifiers of a certificate (RFC 5280 §4.2.1.1, §4.2.1.2): hints for finding its issuer, not proof. */
import type { Certificate } from './certificate.ts';
import { readCertificateStructure } from './certificate-der.ts';
import { DerCursor, tags } from './der-cursor.ts';

export interface KeyIdentifiers {
  /** Lower hex; null: absent. */
  readonly subject: string | null;
  readonly authority: string | null;
  /** Whether the authority key identifier has the serial of an issuer certificate. */
  readonly namesSerial: boolean;
}

/** Parses the DER again: needed only if OpenSSL rejects an issuer with the right name. Throws DerError. */
export function readKeyIdentifiers({ der }: Pick<Certificate, 'der'>): KeyIdentifiers {
  const { extensions } = readCertificateStructure(der);
  const subject = extensions.get('2.5.29.14')?.value;
  const authority = extensions.get('2.5.29.35')?.value;
  return {
    subject: subject === undefined ? null : readSubjectKeyIdentifier(subject),
    ...(authority === undefined ? { authority: null, namesSerial: false } : readAuthority(authority)),
  };
}

function readSubjectKeyIdentifier(value: Uint8Array): string {
  const cursor = new DerCursor(value);
  cursor.read(value.length, tags.octetString);
  return hex(cursor.contents());
}

/** keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2]. */
function readAuthority(value: Uint8Array): Pick<KeyIdentifiers, 'authority' | 'namesSerial'> {
  const cursor = new DerCursor(value);
  cursor.open(value.length, tags.sequence);
  const { end } = cursor;
  let authority: string | null = null;
  let namesSerial = false;
  while (cursor.at < end) {
    cursor.read(end);
    if (cursor.tag === 0x80) authority = hex(cursor.contents());
    namesSerial ||= cursor.tag === 0x82;
  }
  return { authority, namesSerial };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
