/** Requests of `ehi-gateway trust` commands to a running gateway: one file each below `trust.cacheDir`. */
import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../fetch/replace-file.ts';

export type TrustRequest =
  /** Deletes the CRLs and OCSP responses of the anchor, or of one address of it, and fetches them again. */
  | {
      readonly command: 'forget';
      readonly anchor: string;
      /** Whether the anchor is a candidate. */
      readonly candidate: boolean;
      /** null: all addresses. */
      readonly address: string | null;
    }
  /** Fetches all anchors, CRLs and OCSP responses now. */
  | { readonly command: 'refresh' };

/** Throws the errors of node:fs. */
export async function writeRequest(cacheDir: string, request: TrustRequest): Promise<void> {
  const file = join(folderIn(cacheDir), `${randomBytes(8).toString('hex')}.json`);
  await replaceFile(file, `${JSON.stringify({ version: 1, ...request })}\n`);
}

export interface TakenRequests {
  /** Without duplicates. */
  readonly requests: readonly TrustRequest[];
  /** One message for each file that could not be read or removed; the other requests are taken all the same. */
  readonly problems: readonly string[];
}

/** Octets; longer files are not requests. */
const MAX_REQUEST = 65_536;

/** Reads and removes all request files; a file that is no request is removed too. Throws if the folder cannot be read. */
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

/** null: not a request. Throws the errors of node:fs. */
async function takeRequest(file: string): Promise<TrustRequest | null> {
  // Reading a pipe or a device, or a link to one, might never end.
  const stats = await lstat(file);
  const text = stats.isFile() && stats.size <= MAX_REQUEST ? await readFile(file, 'utf8') : '';
  // Removed before it is handled: a file that cannot be removed would be handled every second.
  await rm(file);
  return parse(text);
}

function folderIn(cacheDir: string): string {
  return join(cacheDir, 'requests');
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    // Files with another ending are still being written.
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
