/** The demo's throwaway certificates on disk: made once, used again while they are valid. */
import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from '../pki/certificate.ts';
import { createAuthority } from '../pki/development.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { readCertificates } from '../pki/pem.ts';

/** File names, all in one folder; `stranger` is a client of another authority with the same names. */
export const demoFiles = {
  root: 'root.pem',
  issuing: 'issuing.pem',
  server: { chain: 'server.pem', key: 'server.key' },
  client: { chain: 'client.pem', key: 'client.key' },
  stranger: { chain: 'stranger.pem', key: 'stranger.key' },
} as const;

export interface DemoCertificates {
  readonly root: Certificate;
  readonly rootPem: string;
  readonly issuingPem: string;
  readonly server: { readonly chainPem: string; readonly keyPem: string };
  /** The good client's own certificate. */
  readonly client: Certificate;
}

const day = 86_400_000;

/** `now` in milliseconds since the epoch. Keys are written with mode 0600; the CA's own key is never written. */
export async function prepareCertificates(folder: string, now: number): Promise<DemoCertificates> {
  try {
    return await read(folder, now);
  } catch {
    // Nothing there, or nothing of use: neither is worth a word in a demo.
    await make(folder, now);
    return await read(folder, now);
  }
}

async function make(folder: string, now: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, content: string) => {
    const file = join(folder, name);
    // Written anew: a mode is given to new files only.
    await rm(file, { force: true });
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  };
  const own = createAuthority({ name: 'Development', now });
  await write(demoFiles.root, own.root.pem);
  await write(demoFiles.issuing, own.issuing.pem);
  const leaves = {
    server: own.issueServer(),
    client: own.issueClient(),
    stranger: createAuthority({ name: 'Development', now }).issueClient(),
  };
  for (const [role, { chainPem, keyPem }] of Object.entries(leaves)) {
    const files = demoFiles[role as keyof typeof leaves];
    await write(files.chain, chainPem);
    await write(files.key, keyPem);
  }
}

/** Throws when anything is missing, does not fit together, or ends within a day. */
async function read(folder: string, now: number): Promise<DemoCertificates> {
  const text = (name: string) => readFile(join(folder, name), 'utf8');
  const leaf = async ({ chain, key }: { chain: string; key: string }) => {
    const pem = { chainPem: await text(chain), keyPem: await text(key) };
    const [certificate] = readCertificates(Buffer.from(pem.chainPem));
    if (!certificate?.x509.checkPrivateKey(createPrivateKey(pem.keyPem)))
      throw new Error(`${key} is another key`);
    if (certificate.notAfter < now + day) throw new Error(`${chain} is about to expire`);
    return { ...pem, certificate };
  };
  const rootPem = await text(demoFiles.root);
  const issuingPem = await text(demoFiles.issuing);
  const [root, issuing] = readCertificates(Buffer.from(rootPem + issuingPem));
  if (!root || !issuing || !isIssuedBy(issuing, root)) throw new Error('two authorities');
  const server = await leaf(demoFiles.server);
  const { certificate: client } = await leaf(demoFiles.client);
  await leaf(demoFiles.stranger);
  // The CAs outlive the leaves by years, so the leaves' dates stand for theirs.
  if (![server.certificate, client].every((each) => isIssuedBy(each, issuing))) {
    throw new Error('a leaf of another authority');
  }
  return { root, rootPem, issuingPem, server, client };
}
