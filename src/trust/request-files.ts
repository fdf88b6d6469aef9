/** What the operator asks of a running gateway by a command: one file each, below the cache's folder, that it takes away. */
import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../fetch/replace-file.ts';

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

export interface TakenRequests {
  /** What was asked, each once however often it was. */
  readonly requests: readonly TrustRequest[];
  /** What could not be read or taken away, and why: it keeps none of the others waiting. */
  readonly problems: readonly string[];
}

/** No request is longer, octets. */
const MAX_REQUEST = 65_536;

/** Those that wait; a file that is no request is removed too. Throws what node:fs throws where the folder cannot be read. */
export async function takeRequests(cacheDir: string): Promise<TakenRequests> {
  const folder = folderIn(cacheDir);
  const requests = new Map<string, TrustRequest>();
  const problems: string[] = [];
  for (const name of await filesIn(folder)) {
    try {
      const request = await takeRequest(join(folder, name));
      if (request !== null) requests.set(JSON.stringify(request), request);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') continue;
      problems.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  return { requests: [...requests.values()], problems };
}

/** null: it is no request. Throws what node:fs throws. */
async function takeRequest(file: string): Promise<TrustRequest | null> {
  // What is no file might never end, or never begin: a pipe, a device, a link to one.
  const stats = await lstat(file);
  const text = stats.isFile() && stats.size <= MAX_REQUEST ? await readFile(file, 'utf8') : '';
  // Before it is done: one that cannot be taken away would be done every second.
  await rm(file);
  return parse(text);
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
