/** Reads a file or standard input, of limited size. */
import { UsageError } from '../errors.ts';
import { readLimited } from '../terminal/limited-input.ts';
import { printable } from '../terminal/printable.ts';

/** Bytes. The largest CRLs of public CAs have less. */
export const MAX_BYTES = 128 * 1024 * 1024;

/** `file`: a path, or `-` for standard input. Throws UsageError, which names the file. */
export async function readInput(file: string): Promise<Buffer> {
  let bytes: Buffer | null;
  try {
    bytes = await readLimited(file === '-' ? process.stdin : file, MAX_BYTES);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw refused(file, code === 'EISDIR' ? 'a folder' : `a file that cannot be read (${code})`);
  }
  if (bytes === null) throw refused(file, `more than ${MAX_BYTES / 1024 / 1024} MiB`);
  return bytes;
}

function refused(file: string, found: string): UsageError {
  return new UsageError(`${printable(file)}: found ${found}; allowed a file that can be read`);
}
