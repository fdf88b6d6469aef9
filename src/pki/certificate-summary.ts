/** What can be told of a certificate that is not read as a whole: too large, or not as RFC 5280 has it. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { readCertificateStructure } from './certificate-der.ts';
import { formatName, readName } from './name.ts';
import { serialHex } from './serial.ts';

/** Times are NaN, and the pin null, where they cannot be known. */
export type CertificateOutline = Pick<
  Certificate,
  'subject' | 'issuer' | 'serial' | 'notBefore' | 'notAfter' | 'thumbprint'
> & { readonly spkiPin: string | null };

/** Octets of a name that is told; a record would be cut anyway. */
const MAX_NAME = 1024;

/** Throws nothing. */
export function outlineOf(x509: X509Certificate): CertificateOutline {
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

/** OpenSSL has read it, or the handshake would have failed. Its names have a line for each attribute, the most general first. */
function byOpenSsl(x509: X509Certificate): Omit<CertificateOutline, 'spkiPin' | 'thumbprint'> {
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
