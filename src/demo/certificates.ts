/** The temporary certificates of the demo, issued at every start and written to disk for the example commands. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, createAuthority, type Leaf } from '../issuing/development.ts';
import { distributionPoint, ocspResponders } from '../issuing/revocation-sources.ts';
import { revocationPaths } from './revocations.ts';

/** File names in one folder; `stranger` is a client certificate of another authority with the same names. */
export const demoFiles = {
  root: 'root.pem',
  issuing: 'issuing.pem',
  server: { chain: 'server.pem', key: 'server.key' },
  client: { chain: 'client.pem', key: 'client.key' },
  revoked: { chain: 'revoked.pem', key: 'revoked.key' },
  stranger: { chain: 'stranger.pem', key: 'stranger.key' },
} as const;

export interface DemoCertificates extends Pick<Authority, 'root' | 'issuing'> {
  readonly server: Leaf;
  /** The client that is accepted, and the one that is revoked from the start. */
  readonly client: Leaf;
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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, content: string) => {
    const file = join(folder, name);
    // Deleted first, because the mode applies to new files only.
    await rm(file, { force: true });
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  };
  const revocationAt = (crl: string) => ({
    extensions: [distributionPoint([origin + crl]), ocspResponders([origin + revocationPaths.ocsp])],
  });
  const name = 'Development';
  const own = createAuthority({ name, now, issuing: revocationAt(revocationPaths.rootCrl) });
  const leaf = revocationAt(revocationPaths.issuingCrl);
  const leaves = {
    server: own.issueServer(leaf),
    client: own.issueClient(leaf),
    // Another common name, to be distinguished in the log; `clients.match` accepts both.
    revoked: own.issueClient({
      ...leaf,
      subject: { C: 'GB', O: name, OU: `${name} organisation`, CN: `${name} revoked client` },
    }),
  };
  await write(demoFiles.root, own.root.pem);
  await write(demoFiles.issuing, own.issuing.pem);
  const stranger = createAuthority({ name, now }).issueClient();
  for (const [role, { chainPem, keyPem }] of Object.entries({ ...leaves, stranger })) {
    const files = demoFiles[role as keyof typeof leaves];
    await write(files.chain, chainPem);
    await write(files.key, keyPem);
  }
  return { ...own, ...leaves };
}
