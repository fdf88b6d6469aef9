/** Writes throwaway certificates to a folder, for `certs dev` and the demo. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import { type OutputFile, writeOutputs } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import type { Authority, Leaf } from './development.ts';

export const authorityFiles = { root: 'root.pem', issuing: 'issuing.pem' } as const;

/** The names of the files of a leaf: its chain, and its key. */
export function leafFiles<Role extends string>(role: Role) {
  return { chain: `${role}.pem`, key: `${role}.key` } as const;
}

/**
 * Writes all files or none; missing folders get mode 0700, keys 0600. The keys of the CAs are never written: they can sign
 * nothing after this process has ended. Throws UsageError.
 */
export async function writeDevelopmentFiles(options: {
  readonly folder: string;
  readonly authority: Pick<Authority, 'root' | 'issuing'>;
  /** By role: the role `client` gets client.pem and client.key. */
  readonly leaves: Readonly<Record<string, Leaf>>;
  /** Further files without secrets, by name. */
  readonly others?: Readonly<Record<string, string | Uint8Array>>;
  /** Replace existing files. */
  readonly force: boolean;
}): Promise<readonly string[]> {
  const { folder, authority, leaves, others = {}, force } = options;
  const file = (name: string, contents: string | Uint8Array, secret = false): OutputFile => ({
    file: join(folder, name),
    contents,
    secret,
    force,
  });
  const outputs = [
    file(authorityFiles.root, authority.root.pem),
    file(authorityFiles.issuing, authority.issuing.pem),
    ...Object.entries(leaves).flatMap(([role, { chainPem, keyPem }]) => [
      file(leafFiles(role).chain, chainPem),
      file(leafFiles(role).key, keyPem, true),
    ]),
    ...Object.entries(others).map(([name, contents]) => file(name, contents)),
  ];
  await makeFolder(folder);
  await writeOutputs(outputs);
  return outputs.map((output) => output.file);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`${printable(folder)}: cannot be made (${code})`, cause);
  }
}
