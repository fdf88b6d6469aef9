/** Finds where the chain of an earlier process ends: its last seal, and the lines after it, which a crash left unsealed. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { newline } from './lines.ts';
import { findRotatedFiles, type RotatedFile } from './rotated-files.ts';
import { type ChainEnd, hashOfSeal, isSealLine } from './seal.ts';

export interface FoundChain {
  readonly last: ChainEnd;
  /** Where the lines after the last seal are, in order: in its own file, and in files that were begun after it. */
  readonly tail: readonly TailPart[];
}

export interface TailPart extends RotatedFile {
  /** Offset in the decompressed content. */
  readonly start: number;
}

/** Far more than a gateway writes in the longest interval of seals: without a seal in so many bytes, there is no chain. */
const maxSearchedBytes = 1024 * 1024 * 1024;
const windowBytes = 256 * 1024;
const sealMark = Buffer.from('{"type":"seal",');

/**
 * The current file, then the rotated ones from the newest on, until one has a seal. null: none has.
 *
 * @param path a regular file.
 * @throws the errors of node:fs and node:zlib, with the path of the file in `cause`.
 */
export async function findChain(path: string): Promise<FoundChain | null> {
  const later: TailPart[] = [];
  let searched = 0;
  for (const file of [{ path, compression: 'none' } as const, ...(await findRotatedFiles(path))]) {
    const { end, bytes } = await readable(file, () => findLastSeal(file));
    if (end !== null) return { last: end.last, tail: [{ ...file, start: end.offset }, ...later] };
    later.unshift({ ...file, start: 0 });
    searched += bytes;
    if (searched > maxSearchedBytes) return null;
  }
  return null;
}

interface Search {
  /** `offset`: of the first byte after the last seal. null: there is no seal. */
  readonly end: { readonly last: ChainEnd; readonly offset: number } | null;
  readonly bytes: number;
}

function findLastSeal({ path, compression }: RotatedFile): Promise<Search> {
  switch (compression) {
    case 'none':
      return searchBackwards(path);
    case 'gzip':
    case 'zstd':
      return searchForwards({ path, compression });
    case 'other':
      throw new Error('the gateway reads gzip and zstd only');
    default:
      return compression satisfies never;
  }
}

async function searchBackwards(path: string): Promise<Search> {
  await using file = await open(path);
  const { size: bytes } = await file.stat();
  /** Where the part that was searched begins: at the begin of a line. */
  let searched = bytes;
  let size = windowBytes;
  while (searched > 0) {
    const start = Math.max(0, searched - size);
    const { buffer } = await file.read(Buffer.alloc(searched - start), 0, searched - start, start);
    const firstLine = start === 0 ? 0 : buffer.indexOf(newline) + 1;
    const found = lastSealIn(buffer.subarray(firstLine));
    if (found !== null) {
      const offset = start + firstLine + found.offset;
      return { end: { last: found.last, offset }, bytes };
    }
    // A line that is longer than the window.
    if (start > 0 && (firstLine === 0 || firstLine === buffer.length)) size *= 2;
    else searched = start + firstLine;
    if (bytes - searched > maxSearchedBytes || size > maxSearchedBytes) break;
  }
  return { end: null, bytes };
}

/** Of whole lines, the last of which may lack its newline. `offset`: of the first byte after the seal. */
function lastSealIn(lines: Buffer): { readonly last: ChainEnd; readonly offset: number } | null {
  for (let at = lines.lastIndexOf(sealMark); at >= 0; at = lines.lastIndexOf(sealMark, at - 1)) {
    const end = lines.indexOf(newline, at);
    const isAtBegin = at === 0 || lines[at - 1] === newline;
    const last = isAtBegin && end >= 0 ? chainEndOf(lines.subarray(at, end)) : null;
    if (last !== null) return { last, offset: end + 1 };
    if (at === 0) break;
  }
  return null;
}

async function searchForwards(file: RotatedFile): Promise<Search> {
  let end: Search['end'] = null;
  let bytes = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of contentOf({ ...file, start: 0 })) {
    const lines = Buffer.concat([rest, chunk]);
    const found = lastSealIn(lines);
    if (found !== null) end = { last: found.last, offset: bytes - rest.length + found.offset };
    bytes += chunk.length;
    rest = Buffer.from(lines.subarray(lines.lastIndexOf(newline) + 1));
  }
  return { end, bytes };
}

/** null: the line is no whole seal, such as the part that a crash left. */
function chainEndOf(line: Buffer): ChainEnd | null {
  if (!isSealLine(line)) return null;
  try {
    const { chain, seq } = JSON.parse(line.toString());
    const isSeal = typeof chain === 'string' && /^[\da-f]{16}$/.test(chain) && Number.isSafeInteger(seq);
    return isSeal ? { chain, seq, hash: hashOfSeal(line) } : null;
  } catch {
    return null;
  }
}

/** The whole lines of the tail in order. A part of a line at the end of a file counts for nothing. */
export async function* readTail(tail: readonly TailPart[]): AsyncGenerator<Buffer> {
  for (const part of tail) {
    let rest = Buffer.alloc(0);
    for await (const chunk of contentOf(part)) {
      const bytes = Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(newline) + 1;
      rest = Buffer.from(bytes.subarray(end));
      if (end > 0) yield bytes.subarray(0, end);
    }
  }
}

async function* contentOf({ path, compression, start }: TailPart): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* createReadStream(path, { start, highWaterMark: windowBytes });
    return;
  }
  const file = createReadStream(path, { highWaterMark: windowBytes });
  const stream: Readable & NodeJS.WritableStream =
    compression === 'gzip' ? createGunzip() : createZstdDecompress();
  file.on('error', (cause) => stream.destroy(cause));
  let skip = start;
  for await (const chunk of file.pipe(stream) as AsyncIterable<Buffer>) {
    if (skip < chunk.length) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
  }
}

async function readable<T>({ path }: RotatedFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path} cannot be read for its last seal: ${found}`, { cause });
  }
}
