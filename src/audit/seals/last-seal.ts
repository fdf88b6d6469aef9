/** Finds seals in the audit files of an earlier process: the last one, the lines after it, and whether a given one is there. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { decompress } from '../decompression.ts';
import { newline } from '../lines.ts';
import { findRotatedFiles, type RotatedFile } from './renamed-files.ts';
import { type ReadSeal, readSeal } from './seal-reader.ts';

export interface FoundChain {
  /** The last seal; null: no file has one. */
  readonly last: FoundSeal | null;
  /** Where the lines after it are, in order: in its own file, and in files that were begun after it. */
  readonly tail: readonly TailPart[];
}

export interface FoundSeal {
  readonly seal: ReadSeal;
  /** Without its newline. */
  readonly line: Buffer;
}

export interface TailPart extends RotatedFile {
  /** Offset in the decompressed content. */
  readonly start: number;
}

interface PlacedSeal extends FoundSeal {
  /** Offset of the first byte after its line. */
  readonly end: number;
}

/** Far more than a gateway writes in the longest interval of seals: without a seal in so many bytes, there is no chain. */
const maxSearchedBytes = 1024 * 1024 * 1024;
const windowBytes = 256 * 1024;
/** More than a seal has. A longer line is none, so that a window does not grow with the lines. */
const maxSealBytes = 1024;
const sealMark = Buffer.from('{"type":"seal",');

/**
 * The current file, then the rotated ones from the newest on, until one has a seal. null: so many bytes
 * were searched without finding the last one.
 *
 * @param path a regular file.
 * @param maxBytes default 1 GiB.
 * @throws the errors of node:fs and node:zlib, with the path of the file in `cause`.
 */
export async function findChain(path: string, maxBytes = maxSearchedBytes): Promise<FoundChain | null> {
  const later: TailPart[] = [];
  const search = new Search(maxBytes);
  for (const file of await filesOf(path)) {
    const last = await readable(file, () => lastSealIn(file, search));
    // A compressed file is read forwards: further seals may follow this one.
    if (search.isExhausted && file.compression !== 'none') return null;
    if (last !== null) return { last, tail: [{ ...file, start: last.end }, ...later] };
    if (search.isExhausted) return null;
    later.unshift({ ...file, start: 0 });
  }
  return { last: null, tail: later };
}

/**
 * Whether the files have this very seal. `older`: they have only later seals of its chain, so that its file may have been
 * removed by rotation. Errors as of `findChain`.
 */
export async function findSeal(path: string, wanted: ReadSeal): Promise<'found' | 'older' | 'absent'> {
  let hasLater = false;
  let hasEarlier = false;
  const search = new Search();
  for (const file of await filesOf(path)) {
    const found = await readable(file, async () => {
      for await (const { seal } of sealsIn(file, search)) {
        if (seal.chain !== wanted.chain) continue;
        if (seal.seq === wanted.seq) return seal.hash === wanted.hash ? 'found' : 'absent';
        if (seal.seq > wanted.seq) hasLater = true;
        else hasEarlier = true;
        // A compressed file is read forwards: there the seal may still come.
        if (hasEarlier && file.compression === 'none') break;
      }
      return hasEarlier ? 'absent' : null;
    });
    if (found !== null) return found;
    if (search.isExhausted) return 'absent';
  }
  return hasLater ? 'older' : 'absent';
}

/** How much was read. */
class Search {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = maxSearchedBytes) {
    this.#maxBytes = maxBytes;
  }

  get isExhausted(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  note(bytes: number): void {
    this.#bytes += bytes;
  }
}

async function filesOf(path: string): Promise<RotatedFile[]> {
  return [{ path, compression: 'none' }, ...(await findRotatedFiles(path))];
}

async function lastSealIn(file: RotatedFile, search: Search): Promise<PlacedSeal | null> {
  let last: PlacedSeal | null = null;
  for await (const found of sealsIn(file, search)) {
    last = found;
    if (file.compression === 'none') break;
  }
  return last;
}

/** The seals of a plain file from the last one on, of a compressed file from the first one on. */
function sealsIn({ path, compression }: RotatedFile, search: Search): AsyncGenerator<PlacedSeal> {
  switch (compression) {
    case 'none':
      return sealsBackwards(path, search);
    case 'gzip':
    case 'zstd':
      return sealsForwards({ path, compression }, search);
    case 'other':
      throw new Error('the gateway reads gzip and zstd only');
    default:
      return compression satisfies never;
  }
}

async function* sealsBackwards(path: string, search: Search): AsyncGenerator<PlacedSeal> {
  await using file = await open(path);
  let { size: end } = await file.stat();
  /** The begin of the window after this one, in which a seal that begins in this one may end. */
  let next = Buffer.alloc(0);
  while (end > 0 && !search.isExhausted) {
    const start = Math.max(0, end - windowBytes);
    // With the byte before the window, which shows whether a line begins with it.
    const from = Math.max(0, start - 1);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    search.note(bytesRead);
    const window = Buffer.concat([buffer, next]);
    for (let at = lastMark(window, end - from); at >= 0; at = lastMark(window, at)) {
      const found = sealAt(window, { at, isBegin: from + at === 0 });
      if (found !== null) yield { ...found, end: from + at + found.line.length + 1 };
    }
    next = window.subarray(start - from, start - from + maxSealBytes);
    end = start;
  }
}

/** The last mark that begins before `before`; negative: there is none. */
function lastMark(bytes: Buffer, before: number): number {
  return before === 0 ? -1 : bytes.lastIndexOf(sealMark, before - 1);
}

async function* sealsForwards(file: RotatedFile, search: Search): AsyncGenerator<PlacedSeal> {
  let bytes = 0;
  /** Up to here everything was looked at. */
  let searched = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of contentOf({ ...file, start: 0 })) {
    search.note(chunk.length);
    const window = Buffer.concat([rest, chunk]);
    const from = bytes - rest.length;
    bytes += chunk.length;
    for (let at = window.indexOf(sealMark); at >= 0; at = window.indexOf(sealMark, at + 1)) {
      const found = from + at < searched ? null : sealAt(window, { at, isBegin: from + at === 0 });
      if (found === null) continue;
      searched = from + at + found.line.length + 1;
      yield { ...found, end: searched };
    }
    // What may be the begin of a seal, and the byte before it.
    rest = Buffer.from(window.subarray(Math.max(0, window.length - maxSealBytes - 1)));
    if (search.isExhausted) return;
  }
}

/** The seal whose line begins `at`; null: there is none, or not as the gateway writes it, such as the part that a crash left. */
function sealAt(
  bytes: Buffer,
  { at, isBegin }: { readonly at: number; readonly isBegin: boolean },
): FoundSeal | null {
  if (!isBegin && bytes[at - 1] !== newline) return null;
  const length = bytes.subarray(at, at + maxSealBytes).indexOf(newline);
  if (length < 0) return null;
  const line = Buffer.from(bytes.subarray(at, at + length));
  const seal = readSeal(line);
  return seal === null ? null : { seal, line };
}

/** The content from `start` on. */
export async function* contentOf({ path, compression, start }: TailPart): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* createReadStream(path, { start, highWaterMark: windowBytes });
    return;
  }
  if (compression === 'other') throw new Error('the gateway reads gzip and zstd only');
  let skip = start;
  for await (const chunk of decompress(path, compression)) {
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
