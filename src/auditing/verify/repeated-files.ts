/** Finds files that are given twice: the same content under two names, or an earlier copy of a file. */
import { createHash } from 'node:crypto';
import type { AuditFile } from '../reading/audit-files.ts';
import { readLines } from '../reading/lines.ts';

export interface RepeatedFile {
  readonly file: AuditFile;
  /** The file that has all its lines. */
  readonly sameAs: AuditFile;
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
    const longer = isLike ? await longerOf(last, file) : null;
    if (last === undefined || longer === null) used.push(file);
    else {
      used[used.length - 1] = longer;
      repeated.push({ file: longer === file ? last : file, sameAs: longer });
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
async function longerOf(a: AuditFile, b: AuditFile): Promise<AuditFile | null> {
  const [digestOfA, digestOfB] = [await digest(a), await digest(b)];
  const isLonger = digestOfA.lines > digestOfB.lines;
  const [longer, shorter] = isLonger ? [a, digestOfB] : [b, digestOfA];
  const begin = await digest(longer, shorter.lines);
  return begin.sha256 === shorter.sha256 ? longer : null;
}

/** Of the whole lines, at most `max`. */
async function digest(
  { path, compression }: AuditFile,
  max = Number.POSITIVE_INFINITY,
): Promise<{ readonly lines: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let lines = 0;
  for await (const batch of readLines(path, compression)) {
    for (const { bytes, isWhole } of batch) {
      if (lines === max) return { lines, sha256: hash.digest('hex') };
      if (!isWhole) continue;
      hash.update(bytes).update('\n');
      lines++;
    }
  }
  return { lines, sha256: hash.digest('hex') };
}
