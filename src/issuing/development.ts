/** A temporary root and issuing CA, for the demo and the tests. */
import type { Name } from '@peculiar/asn1-x509';
import type { KeyKind } from '../pki/key.ts';
import { type Issued, type IssueOptions, issueCertificate, type Subject } from './certificate.ts';

const hour = 3_600_000;
const day = 24 * hour;
export const purposes = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

export interface AuthorityOptions {
  /** Part of the common names: `<name> Root CA`, `<name> Issuing CA`. */
  readonly name: string;
  /** Milliseconds since the epoch: the base of the default validity; default the clock. */
  readonly now?: number;
  /** Keys of the two CAs; default P-256. */
  readonly key?: KeyKind;
  /** Overrides for the CA certificates. */
  readonly root?: Partial<IssueOptions>;
  readonly issuing?: Partial<IssueOptions>;
}

/** A leaf certificate, with the chain that its owner sends: leaf, then issuing CA. */
export interface Leaf extends Issued {
  readonly chainPem: string;
}

export interface Authority {
  readonly root: Issued;
  readonly issuing: Issued;
  /** A client certificate of the issuing CA; by default like the published sandbox certificate. */
  issueClient(options?: Partial<IssueOptions>): Leaf;
  /** A server certificate for 127.0.0.1, ::1 and localhost. */
  issueServer(options?: Partial<IssueOptions>): Leaf;
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { name, now = Date.now(), key = 'P-256' } = options;
  const ca = (commonName: string): IssueOptions => ({
    subject: { C: 'GB', O: `${name} Limited`, OU: `${name} Directory`, CN: commonName },
    key,
    notBefore: now - day,
    notAfter: now + 3650 * day,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const root = issueCertificate({ ...ca(`${name} Root CA`), ...options.root });
  const issuing = issueCertificate({
    ...ca(`${name} Issuing CA`),
    issuer: root,
    basicConstraints: { ca: true, pathLength: 0 },
    ...options.issuing,
  });

  const issueLeaf = (defaults: Partial<IssueOptions> & { subject: Subject | Name }): Leaf => {
    const leaf = issueCertificate({
      issuer: issuing,
      notBefore: now - hour,
      notAfter: now + 350 * day,
      keyUsage: ['digitalSignature'],
      ...defaults,
    });
    return { ...leaf, chainPem: leaf.pem + issuing.pem };
  };
  return {
    root,
    issuing,
    issueClient: (leaf) =>
      issueLeaf({ subject: { C: 'GB', O: name, OU: `${name} organisation`, CN: `${name} client` }, ...leaf }),
    issueServer: (leaf) =>
      issueLeaf({
        subject: { CN: 'localhost' },
        extendedKeyUsage: [purposes.serverAuth],
        sans: ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
        ...leaf,
      }),
  };
}
