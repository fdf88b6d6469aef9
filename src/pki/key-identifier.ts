/** The key identifiers of a certificate (RFC 5280 §4.2.1.1, §4.2.1.2): hints for finding an issuer, and no proof. */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  id_ce_authorityKeyIdentifier,
  id_ce_subjectKeyIdentifier,
  SubjectKeyIdentifier,
  Certificate as X509Structure,
} from '@peculiar/asn1-x509';
import type { Certificate } from './certificate.ts';

export interface KeyIdentifiers {
  /** Lower hex; null: the certificate does not say. */
  readonly subject: string | null;
  readonly authority: string | null;
  /** Whether the issuer is named by the name and serial of one of its certificates. */
  readonly namesSerial: boolean;
}

/** Reads the certificate anew: asked where OpenSSL does not take an issuer that has the right name. Throws Error. */
export function readKeyIdentifiers({ der }: Pick<Certificate, 'der'>): KeyIdentifiers {
  const { extensions = [] } = AsnConvert.parse(der, X509Structure).tbsCertificate;
  const contentsOf = (id: string) => extensions.find(({ extnID }) => extnID === id)?.extnValue.buffer;
  const [ofSubject, ofIssuer] = [id_ce_subjectKeyIdentifier, id_ce_authorityKeyIdentifier].map(contentsOf);
  const issuer = ofIssuer === undefined ? null : AsnConvert.parse(ofIssuer, AuthorityKeyIdentifier);
  return {
    subject: ofSubject === undefined ? null : hex(AsnConvert.parse(ofSubject, SubjectKeyIdentifier).buffer),
    authority: issuer?.keyIdentifier === undefined ? null : hex(issuer.keyIdentifier.buffer),
    namesSerial: issuer?.authorityCertSerialNumber !== undefined,
  };
}

function hex(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex');
}
