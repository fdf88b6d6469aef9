/** Streams the lines of an audit file, decompressed, in batches. */
import { createReadStream } from 'node:fs';
import { decompress, TrailingDataError } from '../../audit/decompression.ts';
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface Line {
  /** The path of the file. */
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** Without the newline. */
  readonly bytes: Buffer;
  /** false: the file ends without a newline after this line. */
  readonly isWhole: boolean;
}

const newline = 0x0a;
const chunkBytes = 256 * 1024;
/** The gateway writes no record nearly as long. */
const maxLineBytes = 1024 * 1024;

/**
 * The lines of one chunk at a time: an array for each chunk, because an iteration for each line would take most of the
 * time. Ends early, without an error, if the caller stops.
 *
 * @throws UsageError if the file cannot be read or decompressed, or has a line of more than 1 MiB.
 */
export async function* readLines(path: string, compression: Compression): AsyncGenerator<Line[]> {
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunksOf(path, compression)) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const part = chunk.subarray(start, end);
      const bytes = rest.length === 0 ? part : Buffer.concat([...rest, part]);
      rest = [];
      restBytes = 0;
      number++;
      lines.push({ file: path, number, bytes, isWhole: true });
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
    }
    if (restBytes > maxLineBytes)
      throw new UsageError(
        `${printable(path)}: line ${number + 1} is longer than 1 MiB, so this is not an audit file of the gateway`,
      );
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [{ file: path, number: number + 1, bytes: Buffer.concat(rest), isWhole: false }];
}

/** Errors of reading and of decompressing arrive at the iteration. */
async function* chunksOf(path: string, compression: Compression): AsyncGenerator<Buffer> {
  try {
    if (compression === 'none') yield* createReadStream(path, { highWaterMark: chunkBytes });
    else yield* decompress(path, compression);
  } catch (cause) {
    throw new UsageError(`${printable(path)}: ${problemOf(cause as NodeJS.ErrnoException)}`, cause);
  }
}

function problemOf(cause: NodeJS.ErrnoException): string {
  const { code, message } = cause;
  if (cause instanceof TrailingDataError)
    return `${message}; remove what was appended, or decompress the parts one by one`;
  switch (code) {
    case 'ENOENT':
      return 'the file does not exist';
    case 'EISDIR':
      return 'is a folder; give the files in it';
    case 'EACCES':
      return 'no permission to read the file';
    case 'Z_BUF_ERROR':
      return 'the compressed file is cut off before its end';
    default:
      return code?.startsWith('Z_') || code?.startsWith('ZSTD_')
        ? `the compressed file is damaged (${message})`
        : `cannot be read (${code ?? message})`;
  }
}
