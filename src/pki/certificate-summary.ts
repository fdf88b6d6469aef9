/** The main fields of a certificate for reports, also if it is too large to parse or violates RFC 5280. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { readCertificateStructure } from './certificate-der.ts';
import { formatName, readName } from './distinguished-name.ts';
import { serialHex } from './serial.ts';

/** Times are NaN, and the pin is null, if they cannot be read. */
export type CertificateSummary = Pick<
  Certificate,
  'subject' | 'issuer' | 'serial' | 'notBefore' | 'notAfter' | 'thumbprint'
> & { readonly spkiPin: string | null };

/** Octets; longer names are not reported, since records are limited in length. */
const MAX_NAME = 1024;

/** Never throws. */
export function summaryOf(x509: X509Certificate): CertificateSummary {
  const thumbprint = Buffer.from(x509.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  try {
    const { subject, issuer, serial, notBefore, notAfter, publicKeyInfo } = readCertificateStructure(
      x509.raw,
    );
    return {
      subject: textOf(subject),
      issuer: textOf(issuer),
      serial: serialHex(serial),
      notBefore,
      notAfter,
      spkiPin: createHash('sha256').update(publicKeyInfo).digest('base64'),
      thumbprint,
    };
  } catch {
    return { ...byOpenSsl(x509), spkiPin: null, thumbprint };
  }
}

function textOf(name: Uint8Array): string {
  return name.length > MAX_NAME ? `(a name of ${name.length} octets)` : formatName(readName(name));
}

/** As OpenSSL reads it, which parsed it in the handshake. Its names have one attribute per line, most general first. */
function byOpenSsl(x509: X509Certificate): Omit<CertificateSummary, 'spkiPin' | 'thumbprint'> {
  const name = (lines: string | undefined) =>
    (lines ?? '').slice(0, MAX_NAME).split('\n').reverse().join(',');
  return {
    subject: name(x509.subject),
    issuer: name(x509.issuer),
    serial: x509.serialNumber.slice(0, MAX_NAME).toLowerCase(),
    notBefore: x509.validFromDate.getTime(),
    notAfter: x509.validToDate.getTime(),
  };
}
