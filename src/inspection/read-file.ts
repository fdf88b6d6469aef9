/** Reads a file or standard input, of limited size. */
import { open } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { printable } from '../terminal/printable.ts';

/** Bytes. The largest CRLs of public CAs have less. */
export const MAX_BYTES = 128 * 1024 * 1024;

/** `file`: a path, or `-` for standard input. Throws UsageError, which names the file. */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') return readStdin();
  try {
    await using handle = await open(file);
    const status = await handle.stat();
    if (status.isDirectory()) throw refused(file, 'a folder');
    if (status.size > MAX_BYTES) throw tooLarge(file);
    return await handle.readFile();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw refused(file, `a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) throw tooLarge('-');
  }
  return Buffer.concat(chunks);
}

function tooLarge(file: string): UsageError {
  return refused(file, `more than ${MAX_BYTES / 1024 / 1024} MiB`);
}

function refused(file: string, found: string): UsageError {
  return new UsageError(`${printable(file)}: found ${found}; allowed a file that can be read`);
}
