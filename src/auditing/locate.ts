/** Finds which lines make a seal wrong, by trying what would make it right. */
import { createHash } from 'node:crypto';

const newline = Buffer.from('\n');
/** Bytes hashed for one seal: under a second. */
const maxHashedBytes = 256 * 1024 * 1024;

export type Fault =
  /** Without these lines the seal is right: `count` lines from `index` on. */
  | { readonly kind: 'inserted'; readonly index: number; readonly count: number }
  /** With these two lines in each other's place the seal is right. */
  | { readonly kind: 'swapped'; readonly first: number; readonly second: number };

/** null: not found, such as for a changed line, or because it would take too long. */
export function locateFault(
  lines: readonly Buffer[],
  sealed: { readonly lines: number; readonly sha256: string },
): Fault | null {
  const extra = lines.length - sealed.lines;
  if (extra > 0) return locateInserted(lines, { count: extra, sha256: sealed.sha256 });
  return extra === 0 ? locateSwapped(lines, sealed.sha256) : null;
}

export function sha256Of(lines: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line).update(newline);
  return hash.digest('hex');
}

/** Lines that stand together. */
function locateInserted(
  lines: readonly Buffer[],
  { count, sha256 }: { readonly count: number; readonly sha256: string },
): Fault | null {
  let budget = maxHashedBytes;
  const bytes = bytesOf(lines);
  const before = createHash('sha256');
  for (let index = 0; index + count <= lines.length; index++) {
    const hash = before.copy();
    for (const line of lines.slice(index + count)) hash.update(line).update(newline);
    if (hash.digest('hex') === sha256) return { kind: 'inserted', index, count };
    budget -= bytes;
    if (budget < 0) return null;
    before.update(lines[index] ?? newline).update(newline);
  }
  return null;
}

/** Neighbours first, because they are the most likely; then all pairs. */
function locateSwapped(lines: readonly Buffer[], sha256: string): Fault | null {
  let budget = maxHashedBytes;
  const bytes = bytesOf(lines);
  for (let distance = 1; distance < lines.length; distance++) {
    for (let first = 0; first + distance < lines.length; first++) {
      const second = first + distance;
      const [a, b] = [lines[first], lines[second]];
      if (a === undefined || b === undefined || a.equals(b)) continue;
      const swapped = [...lines];
      swapped[first] = b;
      swapped[second] = a;
      if (sha256Of(swapped) === sha256) return { kind: 'swapped', first, second };
      budget -= bytes;
      if (budget < 0) return null;
    }
  }
  return null;
}

function bytesOf(lines: readonly Buffer[]): number {
  // The constant stands for the work beside the hash.
  return lines.reduce((sum, line) => sum + line.length + 200, 0);
}
