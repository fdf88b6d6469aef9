/** The authority of a run: RSA-2048 root, issuing CA, server, client and both CRLs, made at start and kept in memory. */
import { sign } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, CertificateList, TBSCertList, Time, Version } from '@peculiar/asn1-x509';
import { createAuthority, type Leaf } from '../src/pki/development.ts';
import type { Issued } from '../src/pki/issue.ts';
import { signatureAlgorithms } from '../src/pki/signature.ts';

/** PEM texts; `chain` is the leaf and then its issuing CA. */
export interface Credential {
  readonly chain: string;
  readonly key: string;
}

/** Everything is PEM; `crls` holds the root's CRL, then the issuing CA's. */
export interface Certificates {
  readonly root: string;
  readonly issuing: string;
  readonly crls: readonly [root: string, issuing: string];
  readonly server: Credential;
  readonly client: Credential;
}

/** What tells the client's leaf from others of its CA: UUIDs, as in the sender's. */
export const clientNames = {
  organizationalUnit: '5b2e8f3c-7a41-4d0e-9c6a-2f1d7e90b3a4',
  commonName: 'c1f0a7de-3b52-4e8a-8d77-64b0e9a15f20',
} as const;

const day = 86_400_000;

export function makeCertificates(): Certificates {
  const authority = createAuthority({ name: 'Bench', key: 'rsa-2048' });
  const { root, issuing } = authority;
  const { organizationalUnit: OU, commonName: CN } = clientNames;
  const client = authority.issueClient({ subject: { C: 'GB', O: 'Bench Limited', OU, CN }, key: 'rsa-2048' });
  return {
    root: root.pem,
    issuing: issuing.pem,
    crls: [makeCrl(root), makeCrl(issuing)],
    server: credential(authority.issueServer({ key: 'rsa-2048' })),
    client: credential(client),
  };
}

function credential({ chainPem, keyPem }: Leaf): Credential {
  return { chain: chainPem, key: keyPem };
}

/** A CRL that revokes nothing (RFC 5280 §5.1). */
function makeCrl({ subject, privateKey }: Issued): string {
  const signature = new AlgorithmIdentifier({ algorithm: signatureAlgorithms.rsa.sha256, parameters: null });
  const list = new TBSCertList({
    version: Version.v2,
    signature,
    issuer: subject,
    thisUpdate: new Time(new Date(Date.now() - day)),
    nextUpdate: new Time(new Date(Date.now() + 30 * day)),
  });
  const signed = sign('sha256', Buffer.from(AsnConvert.serialize(list)), privateKey);
  const crl = new CertificateList({
    tbsCertList: list,
    signatureAlgorithm: signature,
    signature: new Uint8Array(signed).buffer,
  });
  const base64 = Buffer.from(AsnConvert.serialize(crl))
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
}
