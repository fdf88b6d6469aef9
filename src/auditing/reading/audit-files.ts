/** Opens audit files in any order, rotated and compressed, and orders them as they were written. */
import { open, stat } from 'node:fs/promises';
import { type ReadSeal, readSeal } from '../../audit/seal-reader.ts';
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { type Compression, type Line, readLines } from './lines.ts';
import { isRecordLine, timeOfLine } from './record-line.ts';

export interface AuditFile {
  readonly path: string;
  readonly compression: Compression;
  /** Of the first line that has a time: milliseconds since the epoch; null: no line has one. */
  readonly firstTime: number | null;
  /** The first seal in the file that a second one follows, or else the first; null: none among its first lines. */
  readonly firstSeal: Pick<ReadSeal, 'chain' | 'seq' | 'previous'> | null;
}

/** Lines read from the begin of a file to find its first seal: more than a gateway writes in the longest interval. */
const maxLinesToSeal = 1_000_000;
/** Lines of other programs before the first audit record. */
const maxOtherLines = 100_000;
const maxSealsToOrder = 100;

/**
 * Chain by chain, by the time at which each begins, and within a chain by its seals, because a clock can be set back. A
 * file without a seal is placed by the time of its first line.
 *
 * @throws UsageError if a file cannot be read, or has lines and no audit record.
 */
export async function orderFiles(paths: readonly string[]): Promise<AuditFile[]> {
  const files: AuditFile[] = [];
  for (const path of paths) files.push(await openFile(path));
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

async function openFile(path: string): Promise<AuditFile> {
  const compression = await compressionOf(path);
  const begin = new FileBegin(path);
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
  #first: ReadSeal | null = null;
  #last: ReadSeal | null = null;
  #hasRecord = false;
  #seals = 0;
  isKnown = false;

  constructor(path: string) {
    this.#path = path;
  }

  get facts(): Pick<AuditFile, 'firstTime' | 'firstSeal'> {
    return { firstTime: this.#firstTime, firstSeal: this.#first };
  }

  add(line: Line): void {
    const { bytes, number } = line;
    this.#firstLine ??= line;
    const time = this.#firstTime === null ? timeOfLine(bytes) : null;
    if (time !== null) this.#firstTime = Date.parse(time);
    this.#hasRecord ||= isRecordLine(bytes);
    if (!this.#hasRecord && number >= maxOtherLines) this.end();
    const seal = line.isWhole ? readSeal(bytes) : null;
    if (seal !== null) this.#addSeal(seal);
    if (number >= maxLinesToSeal) this.isKnown = true;
  }

  /** An altered seal at the begin must not change the order, so that two seals have to agree. */
  #addSeal(seal: ReadSeal): void {
    const last = this.#last;
    this.#first ??= seal;
    this.#last = seal;
    this.#seals++;
    if (last !== null && seal.chain === last.chain && seal.seq === last.seq + 1) {
      this.#first = last;
      this.isKnown = true;
    }
    if (this.#seals >= maxSealsToOrder) this.isKnown = true;
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
