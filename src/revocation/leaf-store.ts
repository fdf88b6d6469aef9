/** The tracked leaves on disk, so that their revocation is checked after a restart before they connect again. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../fetch/replace-file.ts';

export interface StoredLeaf {
  readonly der: Buffer;
  /** SHA-256 of the DER, lower hex. */
  readonly sha256: string;
}

/**
 * Yields the leaves, the oldest file first; deletes files whose name is not the digest of their content.
 * Throws what node:fs throws.
 */
export async function* loadLeaves(folder: string): AsyncGenerator<StoredLeaf> {
  for (const file of await filesByAge(folder)) {
    const path = join(folder, file);
    const der = await readFile(path);
    const sha256 = createHash('sha256').update(der).digest('hex');
    if (file === `${sha256}.der`) yield { der, sha256 };
    else await rm(path, { force: true });
  }
}

async function filesByAge(folder: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  const since = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).mtimeMs));
  return files
    .map((file, index) => ({ file, since: since[index] as number }))
    .sort((a, b) => a.since - b.since)
    .map(({ file }) => file);
}

/** Throws what node:fs throws. */
export async function saveLeaf(folder: string, { der, sha256 }: StoredLeaf): Promise<void> {
  await replaceFile(fileOf(folder, sha256), der);
}

/** Throws what node:fs throws. */
export async function deleteLeaf(folder: string, sha256: string): Promise<void> {
  await rm(fileOf(folder, sha256), { force: true });
}

function fileOf(folder: string, sha256: string): string {
  return join(folder, `${sha256}.der`);
}
