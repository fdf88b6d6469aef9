/** Asks one question of an OCSP responder (RFC 6960 §4.1), in the plain form that every responder can answer. */
import { createHash } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Extension } from '@peculiar/asn1-x509';
import type { Certificate } from '../../pki/certificate.ts';
import { CertId, identityOf, nonceExtension, OcspRequest, SingleRequest, TbsRequest } from './structure.ts';

/** What a certID may be hashed with: it finds the question's certificate, the answer's signature proves it. */
export const certIdHashes = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;
export type CertIdHash = keyof typeof certIdHashes;

/** A certificate and the CA above it on a path that holds. */
export interface Subject {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
}

/** DER of an unsigned OCSPRequest for one certificate; SHA-1 is what RFC 5019 §2.1.1 has responders understand. */
export function ocspRequest({
  nonce,
  hash = 'sha1',
  ...subject
}: Subject & { readonly nonce?: Uint8Array; readonly hash?: CertIdHash }): Buffer {
  const single = Object.assign(new SingleRequest(), { certId: certIdOf(subject, hash) });
  const tbsRequest = Object.assign(new TbsRequest(), { requests: [single] });
  if (nonce !== undefined) tbsRequest.extensions = [nonceOf(nonce)];
  return Buffer.from(AsnConvert.serialize(Object.assign(new OcspRequest(), { tbsRequest })));
}

/** What a certID says of one certificate. */
export interface CertIdOctets {
  /** As the certificate spells its issuer's name, and as the issuer's own certificate does. */
  readonly issuerNames: readonly Buffer[];
  readonly issuerKey: Buffer;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
}

export function certIdHashesOf({ certificate, issuer }: Subject, hash: CertIdHash): CertIdOctets {
  const [own, above] = [identityOf(certificate), identityOf(issuer)];
  const digest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
  return {
    issuerNames: [own.issuer, above.subject].map(digest),
    issuerKey: digest(above.publicKey),
    serial: certificate.serialOctets,
  };
}

/** The issuer's name is hashed as the certificate spells it, its key without tag, length and unused bits (§4.1.1). */
export function certIdOf({ certificate, issuer }: Subject, hash: CertIdHash): CertId {
  const { issuer: name, serialNumber } = identityOf(certificate);
  const digest = (bytes: Buffer) => new OctetString(createHash(hash).update(bytes).digest());
  return Object.assign(new CertId(), {
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: certIdHashes[hash], parameters: null }),
    issuerNameHash: digest(name),
    issuerKeyHash: digest(identityOf(issuer).publicKey),
    serialNumber,
  });
}

/** An OCTET STRING of the nonce, in the OCTET STRING that every extension's value is (RFC 9654 §2.1). */
export function nonceOf(nonce: Uint8Array): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(new OctetString(nonce)));
  return new Extension({ extnID: nonceExtension, extnValue });
}
