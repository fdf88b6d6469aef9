/** Makes an OCSP request about one certificate (RFC 6960 §4.1) without options, which every responder supports. */
import { createHash } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import type { Certificate } from '../../pki/certificate.ts';
import { CertId, identityOf, OcspRequest, SingleRequest, TbsRequest } from './structure.ts';

/** Hashes in a CertID. A weak one is safe here: a CertID only identifies the certificate, the signature covers it. */
export const certIdHashes = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
export type CertIdHash = keyof typeof certIdHashes;

/** A certificate and its issuer on a valid path: together they make the CertID. */
export interface CertIdSubject {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
}

/** DER of an unsigned OCSPRequest for one certificate. RFC 5019 §2.1.1 requires responders to support SHA-1. */
export function ocspRequest({
  hash = 'sha1',
  ...subject
}: CertIdSubject & { readonly hash?: CertIdHash }): Buffer {
  const single = Object.assign(new SingleRequest(), { certId: certIdOf(subject, hash) });
  const tbsRequest = Object.assign(new TbsRequest(), { requests: [single] });
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspRequest(), { tbsRequest })));
}

/** The values that a CertID of the certificate may have. */
export interface CertIdOctets {
  /** Of the issuer's name as encoded in the certificate, and as encoded in the issuer's own certificate. */
  readonly issuerNames: readonly Buffer[];
  readonly issuerKey: Buffer;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
}

export function certIdHashesOf({ certificate, issuer }: CertIdSubject, hash: CertIdHash): CertIdOctets {
  const [own, above] = [identityOf(certificate), identityOf(issuer)];
  const digest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
  return {
    issuerNames: [own.issuer, above.subject].map(digest),
    issuerKey: digest(above.publicKey),
    serial: certificate.serialOctets,
  };
}

/** Hashes the issuer's name as encoded in the certificate, its key without tag, length and unused bits (§4.1.1). */
export function certIdOf({ certificate, issuer }: CertIdSubject, hash: CertIdHash): CertId {
  const { issuer: name, serialNumber } = identityOf(certificate);
  const digest = (bytes: Buffer) => new OctetString(createHash(hash).update(bytes).digest());
  return Object.assign(new CertId(), {
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: certIdHashes[hash], parameters: null }),
    issuerNameHash: digest(name),
    issuerKeyHash: digest(identityOf(issuer).publicKey),
    serialNumber,
  });
}
