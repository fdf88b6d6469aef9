/** The certificates of a run: RSA-2048 root, issuing CA, server, client and both CRLs, made at the start, in memory. */

import type { Issued } from '../src/issuing/certificate.ts';
import { crlNumber, signCrl } from '../src/issuing/crl.ts';
import { createAuthority, type Leaf } from '../src/issuing/development.ts';

/** PEM texts; `chain` is the leaf and then its issuing CA. */
export interface Credential {
  readonly chain: string;
  readonly key: string;
}

/** Everything is PEM; `crls` contains the root's CRL, then the issuing CA's. */
export interface Certificates {
  readonly root: string;
  readonly issuing: string;
  readonly crls: readonly [root: string, issuing: string];
  readonly server: Credential;
  readonly client: Credential;
}

/** The subject values that distinguish the client's leaf from others of its CA: UUIDs, as EHI's sender has. */
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

/** PEM of a CRL that revokes nothing. */
function makeCrl(issuer: Issued): string {
  const [thisUpdate, nextUpdate] = [Date.now() - day, Date.now() + 30 * day];
  const der = signCrl({
    issuer,
    entries: new Uint8Array(),
    thisUpdate,
    nextUpdate,
    extensions: [crlNumber(1)],
  });
  const base64 = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
}
