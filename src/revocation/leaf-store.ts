/** The leaves that are looked after, on disk: a restart asks about them before they come again. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../fetch/last-good.ts';

const name = /^(?<sha256>[0-9a-f]{64})\.der$/;

export interface StoredLeaf {
  readonly der: Buffer;
  /** Lower hex of the DER's digest. */
  readonly sha256: string;
}

/** The one that was stored first at the front; what is no such leaf is removed. Throws what node:fs throws. */
export async function loadLeaves(folder: string): Promise<StoredLeaf[]> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  const found: (StoredLeaf & { readonly since: number })[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const der = await readFile(path);
    const sha256 = createHash('sha256').update(der).digest('hex');
    if (name.exec(file)?.groups?.sha256 !== sha256) await rm(path, { force: true });
    else found.push({ der, sha256, since: (await stat(path)).mtimeMs });
  }
  return found.sort((a, b) => a.since - b.since);
}

/** Throws what node:fs throws. */
export async function saveLeaf(folder: string, { der, sha256 }: StoredLeaf): Promise<void> {
  await replaceFile(fileOf(folder, sha256), der);
}

/** Throws what node:fs throws. */
export async function forgetLeaf(folder: string, sha256: string): Promise<void> {
  await rm(fileOf(folder, sha256), { force: true });
}

function fileOf(folder: string, sha256: string): string {
  return join(folder, `${sha256}.der`);
}
