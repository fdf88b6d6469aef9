/** Reads one certificate; one that does not conform to RFC 5280 is an item too, if OpenSSL can read it. */
import { X509Certificate } from 'node:crypto';
import { GatewayError } from '../../errors.ts';
import { type Certificate, parseCertificate } from '../../pki/certificate.ts';
import { type CertificateItem, type UnreadableItem, unreadableItem } from './item.ts';

export interface CertificatePlace {
  readonly at: string | null;
  readonly name?: string | null;
  readonly isPart?: boolean;
}

export function certificateItem(
  der: Uint8Array,
  { at, name = null, isPart = false }: CertificatePlace,
): CertificateItem | UnreadableItem {
  const reading = parse(der);
  if (!(reading instanceof GatewayError))
    return { kind: 'certificate', at, x509: reading.x509, certificate: reading, name, isPart };
  try {
    const x509 = new X509Certificate(Buffer.from(der));
    // OpenSSL finds PEM text within the bytes: that would be another certificate.
    if (x509.raw.equals(der)) return { kind: 'certificate', at, x509, certificate: null, name, isPart };
  } catch {
    // Neither can read it: the message of our own parser says where.
  }
  return unreadableItem(`a damaged certificate: ${reading.message}`, at);
}

function parse(der: Uint8Array): Certificate | GatewayError {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (cause instanceof GatewayError) return cause;
    throw cause;
  }
}
