/** The temporary certificates of the demo, issued at every start and written to disk for the example commands. */
import { type Authority, createAuthority, type Leaf } from '../issuing/development.ts';
import { authorityFiles, leafFiles, writeDevelopmentFiles } from '../issuing/development-files.ts';
import { distributionPoint, ocspResponders } from '../issuing/revocation-sources.ts';
import { revocationPaths } from './revocations.ts';

/**
 * File names in one folder; `other` is a second client of the same authority, `stranger` a client certificate of another
 * authority with the same names.
 */
export const demoFiles = {
  ...authorityFiles,
  server: leafFiles('server'),
  client: leafFiles('client'),
  other: leafFiles('other'),
  revoked: leafFiles('revoked'),
  stranger: leafFiles('stranger'),
} as const;

export interface DemoCertificates extends Pick<Authority, 'root' | 'issuing'> {
  readonly server: Leaf;
  /** The client that is accepted, and the one that is revoked from the start. */
  readonly client: Leaf;
  /** Another client that is accepted. */
  readonly other: Leaf;
  readonly revoked: Leaf;
}

/**
 * `origin`: of the CRL and OCSP URLs in the certificates; `now`: milliseconds since the epoch. Keys are written with mode
 * 0600. The keys of the CAs are never written: they sign CRLs and OCSP responses while the demo runs, and are lost then.
 */
export async function makeCertificates(options: {
  readonly folder: string;
  readonly origin: string;
  readonly now: number;
}): Promise<DemoCertificates> {
  const { folder, origin, now } = options;
  const revocationAt = (crl: string) => ({
    extensions: [distributionPoint([origin + crl]), ocspResponders([origin + revocationPaths.ocsp])],
  });
  const name = 'Development';
  const own = createAuthority({ name, now, issuing: revocationAt(revocationPaths.rootCrl) });
  const clientSubject = (CN: string) => ({ C: 'GB', O: name, OU: `${name} organisation`, CN });
  const leaf = revocationAt(revocationPaths.issuingCrl);
  const leaves = {
    server: own.issueServer(leaf),
    client: own.issueClient(leaf),
    // Other common names, to be distinguished in the log; `clients.match` accepts all of them.
    other: own.issueClient({ ...leaf, subject: clientSubject(`${name} other client`) }),
    revoked: own.issueClient({ ...leaf, subject: clientSubject(`${name} revoked client`) }),
  };
  const stranger = createAuthority({ name, now }).issueClient();
  await writeDevelopmentFiles({ folder, authority: own, leaves: { ...leaves, stranger }, force: true });
  return { ...own, ...leaves };
}
