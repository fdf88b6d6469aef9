/** Reads the files that a command is given, of limited size: pipes and devices, such as /dev/zero, state none before. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { UsageError } from '../errors.ts';
import { printable } from './printable.ts';

/** Bytes; certificates, keys and key stores are much smaller. */
export const defaultMaxBytes = 16 * 2 ** 20;

export interface InputOptions {
  /** The option that names the file, for errors: `--ca`. */
  readonly option?: string;
  /** Default 16 MiB. */
  readonly maxBytes?: number;
  /** `-` is standard input, and not a file of this name. */
  readonly standardInput?: boolean;
}

/** Throws UsageError, which names the file and never its content. */
export async function readInput(file: string, options: InputOptions = {}): Promise<Buffer> {
  const { option, maxBytes = defaultMaxBytes, standardInput = false } = options;
  const where = `${option === undefined ? '' : `${option} `}${printable(file)}`;
  const source = standardInput && file === '-' ? process.stdin : file;
  if (source === process.stdin && process.stdin.destroyed)
    throw new UsageError(`${where}: found standard input for a second time; allowed once in a command`);
  const bytes = await readLimited(source, maxBytes).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === 'EISDIR' ? 'is a folder' : `cannot be read (${cause.code ?? 'unknown'})`;
    throw new UsageError(`${where}: ${problem}`, cause);
  });
  if (bytes === null)
    throw new UsageError(`${where}: found more than ${maxBytes} bytes; allowed at most ${maxBytes}`);
  return bytes;
}

/** `source`: the name of a file, or a stream. null: more than `maxBytes`. Rejects with the error of Node. */
export async function readLimited(source: string | Readable, maxBytes: number): Promise<Buffer | null> {
  const stream = typeof source === 'string' ? createReadStream(source) : source;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop closes the file.
    if (length > maxBytes) return null;
  }
  return Buffer.concat(chunks);
}
