/** Opens audit files in any order, rotated and compressed, and orders them as they were written. */
import { open } from 'node:fs/promises';
import { isSealLine } from '../audit/seal.ts';
import { UsageError } from '../errors.ts';
import { type Compression, readLines } from './lines.ts';

export interface AuditFile {
  readonly path: string;
  readonly compression: Compression;
  /** Of the first line that has a time: milliseconds since the epoch; null: no line has one. */
  readonly firstTime: number | null;
  /** Of the first seal in the file; null: it has none among its first lines. */
  readonly firstSeal: { readonly chain: string; readonly seq: number } | null;
}

/** Lines read from the begin of a file to find its first seal: more than a gateway writes in the longest interval. */
const maxLinesToSeal = 1_000_000;

/**
 * By the time of the first line; two files of one chain by their seals, because a clock can be set back.
 *
 * @throws UsageError if a file cannot be read.
 */
export async function orderFiles(paths: readonly string[]): Promise<AuditFile[]> {
  const files: AuditFile[] = [];
  for (const path of paths) files.push(await openFile(path));
  return files.sort(compareFiles);
}

function compareFiles(a: AuditFile, b: AuditFile): number {
  if (a.firstSeal !== null && b.firstSeal !== null && a.firstSeal.chain === b.firstSeal.chain)
    return a.firstSeal.seq - b.firstSeal.seq;
  return (a.firstTime ?? Number.POSITIVE_INFINITY) - (b.firstTime ?? Number.POSITIVE_INFINITY);
}

async function openFile(path: string): Promise<AuditFile> {
  const compression = await compressionOf(path);
  let firstTime: number | null = null;
  for await (const lines of readLines(path, compression)) {
    for (const { bytes, number } of lines) {
      firstTime ??= timeOf(bytes);
      const firstSeal = isSealLine(bytes) ? sealPlaceOf(bytes) : null;
      if (firstSeal !== null || number > maxLinesToSeal) return { path, compression, firstTime, firstSeal };
    }
  }
  return { path, compression, firstTime, firstSeal: null };
}

/** By the first bytes, because a file may have any name. */
async function compressionOf(path: string): Promise<Compression> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.subarray(0, bytesRead).toString('hex');
    if (start.startsWith('1f8b')) return 'gzip';
    return start === '28b52ffd' ? 'zstd' : 'none';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'the file does not exist' : `cannot be read (${code})`;
    throw new UsageError(`${path}: ${problem}`, cause);
  }
}

/** `time` of the json format or `@timestamp` of ECS; the gateway writes both near the begin of a line. */
const timeField = /"(?:time|@timestamp)":"([^"]{20,30})"/u;

function timeOf(line: Buffer): number | null {
  const found = timeField.exec(line.toString('latin1', 0, 200))?.[1];
  const time = found === undefined ? Number.NaN : Date.parse(found);
  return Number.isNaN(time) ? null : time;
}

function sealPlaceOf(line: Buffer): AuditFile['firstSeal'] {
  try {
    const { chain, seq } = JSON.parse(line.toString());
    return typeof chain === 'string' && Number.isSafeInteger(seq) ? { chain, seq } : null;
  } catch {
    return null;
  }
}
