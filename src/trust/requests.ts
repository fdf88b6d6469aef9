/** What the operator asks of a running gateway by a command: one file each, below the cache's folder, that it takes away. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../fetch/last-good.ts';

export type TrustRequest =
  /** Drop the CRLs and OCSP answers that are kept of this anchor, or of one address of it, and fetch them anew. */
  | {
      readonly command: 'forget';
      readonly anchor: string;
      /** The anchor is a candidate. */
      readonly candidate: boolean;
      /** null: all. */
      readonly address: string | null;
    }
  /** Fetch everything now. */
  | { readonly command: 'refresh' };

/** Throws what node:fs throws. */
export async function writeRequest(cacheDir: string, request: TrustRequest): Promise<void> {
  const file = join(folderIn(cacheDir), `${randomBytes(8).toString('hex')}.json`);
  await replaceFile(file, `${JSON.stringify({ version: 1, ...request })}\n`);
}

/** Those that wait, each once; a file that is no request is removed too. Throws what node:fs throws. */
export async function takeRequests(cacheDir: string): Promise<TrustRequest[]> {
  const folder = folderIn(cacheDir);
  const requests: TrustRequest[] = [];
  for (const name of await filesIn(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    // Before it is done: one that cannot be taken away would be done every second.
    await rm(join(folder, name));
    const request = parse(text);
    if (request !== null) requests.push(request);
  }
  return requests;
}

function folderIn(cacheDir: string): string {
  return join(cacheDir, 'requests');
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    // Drafts are being written.
    return (await readdir(folder)).filter((name) => name.endsWith('.json'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

function parse(text: string): TrustRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { version, command, anchor, candidate, address } = { ...(value as object) } as Record<
    string,
    unknown
  >;
  if (version !== 1) return null;
  if (command === 'refresh') return { command };
  if (command !== 'forget' || typeof anchor !== 'string' || typeof candidate !== 'boolean') return null;
  return address === null || typeof address === 'string' ? { command, anchor, candidate, address } : null;
}
