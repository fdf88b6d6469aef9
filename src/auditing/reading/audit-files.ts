/** Opens audit files in any order, rotated and compressed, and orders them as they were written. */
import type { KeyObject } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { readSeal } from '../../audit/seals/seal-reader.ts';
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { FirstSeal, type PlacingSeal } from './first-seal.ts';
import { type Compression, type Line, readLines } from './lines.ts';
import { isRecordLine, timeOfLine } from './record-line.ts';

export interface AuditFile {
  readonly path: string;
  readonly compression: Compression;
  /** Of the first line that has a time: milliseconds since the epoch; null: no line has one. */
  readonly firstTime: number | null;
  /** The first seal in the file that a second one follows, or else the first; null: none among its first lines. */
  readonly firstSeal: PlacingSeal | null;
}

/** Lines read from the begin of a file to find its first seal: more than a gateway writes in the longest interval. */
const maxLinesToSeal = 1_000_000;
/** Lines of other programs before the first audit record. */
const maxOtherLines = 100_000;

/**
 * Chain by chain, by the time at which each begins, and within a chain by its seals, because a clock can be set back. A
 * file without a seal is placed by the time of its first line.
 *
 * @param keys the public keys by their ids: seals that they did not sign do not change the order; null: all seals count.
 * @throws UsageError if a file cannot be read, or has lines and no audit record.
 */
export async function orderFiles(
  paths: readonly string[],
  keys: ReadonlyMap<string, KeyObject> | null = null,
): Promise<AuditFile[]> {
  const files: AuditFile[] = [];
  for (const path of paths) files.push(await openFile(path, keys));
  return inOrder(files);
}

function inOrder(files: readonly AuditFile[]): AuditFile[] {
  const chains = Map.groupBy(
    files.filter(({ firstSeal }) => firstSeal !== null),
    ({ firstSeal }) => firstSeal?.chain ?? '',
  );
  const groups = [...chains.values()].map((group) => group.sort(compareInChain));
  const ordered = groups.sort(([a], [b]) => timeOf(a) - timeOf(b)).flat();
  const others = files.filter(({ firstSeal }) => firstSeal === null).sort((a, b) => timeOf(a) - timeOf(b));
  for (const other of others) {
    const before = ordered.findLastIndex((file) => timeOf(file) <= timeOf(other));
    ordered.splice(before + 1, 0, other);
  }
  return ordered;
}

function compareInChain(a: AuditFile, b: AuditFile): number {
  return (a.firstSeal?.seq ?? 0) - (b.firstSeal?.seq ?? 0) || timeOf(a) - timeOf(b);
}

function timeOf(file: AuditFile | undefined): number {
  return file?.firstTime ?? Number.MAX_SAFE_INTEGER;
}

async function openFile(path: string, keys: ReadonlyMap<string, KeyObject> | null): Promise<AuditFile> {
  const compression = await compressionOf(path);
  const begin = new FileBegin(path, new FirstSeal(keys));
  for await (const lines of readLines(path, compression)) {
    for (const line of lines) {
      begin.add(line);
      if (begin.isKnown) return { path, compression, ...begin.facts };
    }
  }
  begin.end();
  return { path, compression, ...begin.facts };
}

class FileBegin {
  readonly #path: string;
  #firstLine: Line | null = null;
  #firstTime: number | null = null;
  readonly #firstSeal: FirstSeal;
  #hasRecord = false;
  isKnown = false;

  constructor(path: string, firstSeal: FirstSeal) {
    this.#path = path;
    this.#firstSeal = firstSeal;
  }

  get facts(): Pick<AuditFile, 'firstTime' | 'firstSeal'> {
    return { firstTime: this.#firstTime, firstSeal: this.#firstSeal.found };
  }

  add(line: Line): void {
    const { bytes, number } = line;
    this.#firstLine ??= line;
    const time = this.#firstTime === null ? timeOfLine(bytes) : null;
    if (time !== null) this.#firstTime = Date.parse(time);
    this.#hasRecord ||= isRecordLine(bytes);
    if (!this.#hasRecord && number >= maxOtherLines) this.end();
    const seal = line.isWhole ? readSeal(bytes) : null;
    if (seal !== null) this.#firstSeal.add(seal, bytes);
    this.isKnown = this.#firstSeal.isKnown || number >= maxLinesToSeal;
  }

  /** Throws UsageError if there are lines and none is an audit record. */
  end(): void {
    const first = this.#firstLine;
    if (this.#hasRecord || first === null) return;
    throw new UsageError(`${printable(this.#path)}: ${describeOther(first.bytes)}`);
  }
}

/** Why a first line is no audit record: what container runtimes and other systems put before it. */
function describeOther(line: Buffer): string {
  const text = line.toString('latin1', 0, 200);
  if (/^\S+ std(?:out|err) [FP] /.test(text))
    return 'has the prefix of a container runtime before each line; remove it first, such as with: cut -d" " -f4-';
  if (text.startsWith('{"log":"'))
    return 'has each line inside JSON of Docker; take the lines out first, such as with: jq -j .log';
  return 'is not an audit file of the gateway: none of its lines is an audit record';
}

/** By the first bytes, because a file may have any name. */
async function compressionOf(path: string): Promise<Compression> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`${printable(path)}: is a folder; give the files in it`);
    // Each file is read more than once.
    if (!found.isFile())
      throw new UsageError(`${printable(path)}: is a device, pipe or socket; give a regular file`);
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.subarray(0, bytesRead).toString('hex');
    if (start.startsWith('1f8b')) return 'gzip';
    return start === '28b52ffd' ? 'zstd' : 'none';
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${printable(path)}: ${problemOf(cause as NodeJS.ErrnoException)}`, cause);
  }
}

function problemOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'the file does not exist';
  return code === 'EACCES' ? 'no permission to read the file' : `cannot be read (${code})`;
}
