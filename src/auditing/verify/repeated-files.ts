/** Finds files that are given twice: the same content under two names, or an earlier copy of a file. */
import { createHash } from 'node:crypto';
import type { AuditFile } from '../reading/audit-files.ts';
import { type Line, readLines } from '../reading/lines.ts';

export interface RepeatedFile {
  readonly file: AuditFile;
  /** The file that has all its lines. */
  readonly sameAs: AuditFile;
  /** What is at its end without a newline, and may not be in the other file; null: nothing. */
  readonly partial: Line | null;
}

/** `files`: in order. `used`: without those whose lines another one has from its begin on. */
export async function separateRepeated(
  files: readonly AuditFile[],
): Promise<{ readonly used: readonly AuditFile[]; readonly repeated: readonly RepeatedFile[] }> {
  const used: AuditFile[] = [];
  const repeated: RepeatedFile[] = [];
  for (const file of files) {
    const last = used.at(-1);
    const isLike = last !== undefined && isSameBegin(last, file);
    const found = isLike ? await compare(last, file) : null;
    if (found === null) used.push(file);
    else {
      used[used.length - 1] = found.sameAs;
      repeated.push(found);
    }
  }
  return { used, repeated };
}

/** An early copy may end before its first seal. */
function isSameBegin(a: AuditFile, b: AuditFile): boolean {
  // Empty files are begins of every file.
  if (a.firstTime === null || a.firstTime !== b.firstTime) return false;
  if (a.firstSeal === null || b.firstSeal === null) return true;
  return a.firstSeal.chain === b.firstSeal.chain && a.firstSeal.seq === b.firstSeal.seq;
}

/** null: neither has all lines of the other from its begin on. */
async function compare(a: AuditFile, b: AuditFile): Promise<RepeatedFile | null> {
  const [digestOfA, digestOfB] = [await digest(a), await digest(b)];
  const isLonger = digestOfA.lines > digestOfB.lines;
  const [sameAs, file, shorter] = isLonger ? [a, b, digestOfB] : [b, a, digestOfA];
  const begin = await digest(sameAs, shorter.lines);
  if (begin.sha256 !== shorter.sha256) return null;
  const partial = shorter.next;
  const isCopied = partial !== null && begin.next?.bytes.indexOf(partial.bytes) === 0;
  return { file, sameAs, partial: isCopied ? null : partial };
}

interface Digest {
  /** Number of whole lines, and the hash of their bytes. */
  readonly lines: number;
  readonly sha256: string;
  /** The line behind them, whole or not; null: none. */
  readonly next: Line | null;
}

/** Of the whole lines, at most `max`. */
async function digest({ path, compression }: AuditFile, max = Number.POSITIVE_INFINITY): Promise<Digest> {
  const hash = createHash('sha256');
  let lines = 0;
  for await (const batch of readLines(path, compression)) {
    for (const line of batch) {
      if (lines === max || !line.isWhole) return { lines, sha256: hash.digest('hex'), next: line };
      hash.update(line.bytes).update('\n');
      lines++;
    }
  }
  return { lines, sha256: hash.digest('hex'), next: null };
}
