/** The lines since the last seal: their number and hash, which the next seal must have. */
import { createHash, type Hash } from 'node:crypto';
import type { Seal } from '../../audit/seals/seal.ts';
import { isSealLine } from '../../audit/seals/seal.ts';
import type { Line } from '../reading/lines.ts';
import { isRecordLine, isWholeRecord } from '../reading/record-line.ts';
import { sha256Of } from './wrong-lines.ts';

/** Lines are kept to locate a fault, up to these bounds; beyond them only their hash is. */
const maxKeptLines = 8192;
const maxKeptBytes = 8 * 1024 * 1024;

const newline = Buffer.from('\n');

/**
 * `whole`: the seal covers exactly these lines. `without_others`: it covers them without those that are no audit records.
 * `end`: it covers only the last of them.
 */
export type Coverage = 'whole' | 'without_others' | 'end' | 'none';

export class Interval {
  readonly #all: Hash = createHash('sha256');
  /** Of the audit records only; null: all lines are. */
  #records: { readonly hash: Hash; count: number } | null = null;
  #kept: Line[] | null = [];
  #keptBytes = 0;
  count = 0;
  first: Line | null = null;
  firstOther: Line | null = null;
  /** Lines that begin as seals and are none. */
  damagedSeals: Line[] = [];

  add(line: Line): void {
    this.first ??= line;
    if (!isRecordLine(line.bytes)) this.#addOther(line);
    else if (this.#records !== null) {
      this.#records.hash.update(line.bytes).update(newline);
      this.#records.count++;
    }
    this.#all.update(line.bytes).update(newline);
    this.count++;
    if (isSealLine(line.bytes) && this.damagedSeals.length < 100) this.damagedSeals.push(line);
    this.#keep(line);
  }

  /** null: there were too many. */
  get kept(): readonly Line[] | null {
    return this.#kept;
  }

  /** The first line that a reader takes for a record, and how many there are; null: none. Of many lines, all records count. */
  get wholeRecords(): { readonly first: Line | null; readonly count: number } | null {
    if (this.#kept === null)
      return this.others < this.count ? { first: null, count: this.count - this.others } : null;
    const records = this.#kept.filter(({ bytes }) => isWholeRecord(bytes));
    return records[0] === undefined ? null : { first: records[0], count: records.length };
  }

  /** Of the lines that are kept; 0: there were too many. */
  get keptBytes(): number {
    return this.#kept === null ? 0 : this.#keptBytes;
  }

  get others(): number {
    return this.#records === null ? 0 : this.count - this.#records.count;
  }

  covers({ lines, sha256 }: Pick<Seal, 'lines' | 'sha256'>): Coverage {
    if (lines === this.count && this.#all.copy().digest('hex') === sha256) return 'whole';
    const records = this.#records;
    if (records !== null && records.count === lines && records.hash.copy().digest('hex') === sha256)
      return 'without_others';
    if (this.#kept === null || lines >= this.count) return 'none';
    const end = lines === 0 ? [] : this.#kept.slice(-lines);
    return sha256Of(end.map(({ bytes }) => bytes)) === sha256 ? 'end' : 'none';
  }

  /** false: there are too many lines of the other one. */
  append({ kept }: Interval): boolean {
    for (const line of kept ?? []) this.add(line);
    return kept !== null;
  }

  /** Without its last lines; null: there were too many to keep. */
  withoutLast(lines: number): Interval | null {
    if (this.#kept === null) return null;
    const rest = new Interval();
    for (const line of this.#kept.slice(0, this.count - lines)) rest.add(line);
    return rest;
  }

  #addOther(line: Line): void {
    this.#records ??= { hash: this.#all.copy(), count: this.count };
    this.firstOther ??= line;
  }

  #keep(line: Line): void {
    if (this.#kept === null) return;
    this.#kept.push(line);
    this.#keptBytes += line.bytes.length;
    if (this.#kept.length > maxKeptLines || this.#keptBytes > maxKeptBytes) this.#kept = null;
  }
}
