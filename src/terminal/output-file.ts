/** Writes the files that a command makes: whole or not at all, and over an existing file only if the user agreed. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { printable } from './printable.ts';

export interface OutputFile {
  readonly file: string;
  readonly contents: string | Uint8Array;
  /** Mode 0600 whatever the umask; else 0644. */
  readonly secret?: boolean;
  /** Replace an existing file. */
  readonly force?: boolean;
}

/** Throws UsageError if the file exists and `force` is not set, or if it cannot be written. */
export async function writeOutput(output: OutputFile): Promise<void> {
  await writeOutputs([output]);
}

/**
 * Writes all files, or none: the contents go to drafts beside the files first, and files of this call are removed again if
 * a later one cannot be created. A file that was replaced with `force` stays replaced.
 */
export async function writeOutputs(outputs: readonly OutputFile[]): Promise<void> {
  for (const { file, force = false } of outputs) if (!force && existsSync(file)) throw existing(file);
  const drafts: string[] = [];
  const created: string[] = [];
  try {
    for (const output of outputs) drafts.push(await writeDraft(output));
    for (const [index, output] of outputs.entries()) {
      const draft = drafts[index] ?? '';
      await publish(draft, output);
      if (!output.force) created.push(output.file);
    }
  } catch (error) {
    await removeAll(created);
    throw error;
  } finally {
    await removeAll(drafts);
  }
}

/** Resolves with the name of the draft; removes it if it cannot be completed. */
async function writeDraft({ file, contents, secret = false }: OutputFile): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(contents);
      await handle.chmod(secret ? 0o600 : 0o644);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await removeAll([draft]);
    throw unwritable(file, cause);
  }
  return draft;
}

async function publish(draft: string, { file, force = false }: OutputFile): Promise<void> {
  try {
    // `link` fails if the file exists, which `rename` would replace.
    await (force ? rename(draft, file) : link(draft, file));
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? existing(file) : unwritable(file, cause);
  }
}

function unwritable(file: string, cause: unknown): UsageError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new UsageError(`${printable(file)}: cannot be written (${code})`, cause);
}

function existing(file: string): UsageError {
  return new UsageError(`${printable(file)}: exists already; allowed a new name, or --force to replace it`);
}

async function removeAll(files: readonly string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true }).catch(() => {});
}
