/** Writes the files that a command makes: whole or not at all, and over an existing file only if the user agreed. */
import { randomBytes } from 'node:crypto';
import { constants, existsSync, type Stats } from 'node:fs';
import { access, link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/**
 * For a command that works for long before it writes: what can be known in advance. Throws UsageError as `writeOutput` does,
 * and where the folder does not exist or may not be written to.
 */
export async function checkOutput({ file, force = false }: Omit<OutputFile, 'contents'>): Promise<void> {
  await refuseSpecial(file);
  const found = await find(file);
  if (found !== null && !force) throw existing(file);
  if (found?.isDirectory()) throw unwritable(file, { code: 'EISDIR' });
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unwritable(file, cause);
    const message = `${printable(file)}: its folder does not exist; allowed a file in a folder that exists`;
    throw new UsageError(message, cause);
  }
}

/** Throws UsageError if the file exists and `force` is not set, or if it cannot be written. */
export async function writeOutput(output: OutputFile): Promise<void> {
  await writeOutputs([output]);
}

/**
 * Writes all files, or none: the contents go to drafts beside the files first, and what this call has created or replaced
 * is undone if a later file cannot be written.
 */
export async function writeOutputs(outputs: readonly OutputFile[]): Promise<void> {
  for (const { file, force = false } of outputs) {
    if (!force && existsSync(file)) throw existing(file);
    await refuseSpecial(file);
  }
  const drafts: string[] = [];
  const published: Published[] = [];
  try {
    for (const output of outputs) drafts.push(await writeDraft(output));
    for (const [index, output] of outputs.entries()) {
      published.push(await publish(drafts[index] ?? '', output));
    }
  } catch (error) {
    for (const each of published.reverse()) await undo(each);
    throw error;
  } finally {
    await removeAll([...drafts, ...published.flatMap(({ former }) => former ?? [])]);
  }
}

/** A rename would replace a device, such as /dev/null, by a file. */
async function refuseSpecial(file: string): Promise<void> {
  const found = await find(file);
  if (found === null || found.isFile() || found.isDirectory()) return;
  throw new UsageError(`${printable(file)}: found a device, pipe or socket; allowed a regular file`);
}

/** What a link points to, for a link. null: there is nothing, or it cannot be seen. */
async function find(file: string): Promise<Stats | null> {
  return await stat(file).catch(() => null);
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

interface Published {
  readonly file: string;
  /** Another name of the file that was replaced; null: there was none. */
  readonly former: string | null;
}

async function publish(draft: string, { file, force = false }: OutputFile): Promise<Published> {
  const former = force ? await keepFormer(file, `${draft}.old`) : null;
  try {
    // `link` fails if the file exists, which `rename` would replace.
    await (force ? rename(draft, file) : link(draft, file));
    return { file, former };
  } catch (cause) {
    if (former !== null) await removeAll([former]);
    throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? existing(file) : unwritable(file, cause);
  }
}

/** Gives an existing file a second name; null: there is none, or its file system has no links, and nothing can be undone. */
async function keepFormer(file: string, name: string): Promise<string | null> {
  try {
    await link(file, name);
    return name;
  } catch {
    return null;
  }
}

async function undo({ file, former }: Published): Promise<void> {
  await (former === null ? rm(file, { force: true }) : rename(former, file)).catch(() => {});
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
