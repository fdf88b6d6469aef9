/** Finds which lines make a seal wrong, by trying what would make it right. */
import { createHash } from 'node:crypto';

const newline = Buffer.from('\n');
/** Bytes hashed for one seal, and for all: a few seconds, however many seals are wrong. */
const maxHashedBytes = 128 * 1024 * 1024;
const maxHashedBytesInAll = 2 * 1024 * 1024 * 1024;

export type Fault =
  /** Without these lines the seal is right: `count` lines from `index` on. */
  | { readonly kind: 'inserted'; readonly index: number; readonly count: number }
  /** With these two lines in each other's place the seal is right. */
  | { readonly kind: 'swapped'; readonly first: number; readonly second: number };

/** Tries until the time for all seals is used up. */
export class FaultLocator {
  #left: number;

  /** `maxBytes`: hashed for all seals. */
  constructor(maxBytes = maxHashedBytesInAll) {
    this.#left = maxBytes;
  }

  /** false: the time for all seals is used up. */
  spend(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left > 0;
  }

  /** null: not found, such as for a changed line, or because it would take too long. */
  locate(
    lines: readonly Buffer[],
    { lines: count, sha256 }: { readonly lines: number; readonly sha256: string },
  ): Fault | null {
    const extra = lines.length - count;
    if (extra < 0 || this.#left <= 0) return null;
    const bytes = bytesOf(lines);
    const maxAttempts = Math.floor(Math.min(maxHashedBytes, this.#left) / bytes);
    const attempts = new Attempts(maxAttempts);
    const fault =
      extra === 0
        ? locateSwapped(lines, { sha256, attempts })
        : locateInserted(lines, { count: extra, sha256, attempts });
    this.#left -= attempts.made * bytes;
    return fault;
  }
}

class Attempts {
  made = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** false: there were enough. */
  next(): boolean {
    this.made++;
    return this.made <= this.#max;
  }
}

interface Search {
  readonly sha256: string;
  readonly attempts: Attempts;
}

export function sha256Of(lines: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line).update(newline);
  return hash.digest('hex');
}

/** Lines that stand together. */
function locateInserted(
  lines: readonly Buffer[],
  { count, sha256, attempts }: Search & { readonly count: number },
): Fault | null {
  const before = createHash('sha256');
  for (let index = 0; index + count <= lines.length && attempts.next(); index++) {
    const hash = before.copy();
    for (const line of lines.slice(index + count)) hash.update(line).update(newline);
    if (hash.digest('hex') === sha256) return { kind: 'inserted', index, count };
    before.update(lines[index] ?? newline).update(newline);
  }
  return null;
}

/** Neighbours first, because they are the most likely; then all pairs. */
function locateSwapped(lines: readonly Buffer[], { sha256, attempts }: Search): Fault | null {
  for (let distance = 1; distance < lines.length; distance++) {
    for (let first = 0; first + distance < lines.length; first++) {
      const second = first + distance;
      const [a, b] = [lines[first], lines[second]];
      if (a === undefined || b === undefined || a.equals(b)) continue;
      if (!attempts.next()) return null;
      const swapped = [...lines];
      swapped[first] = b;
      swapped[second] = a;
      if (sha256Of(swapped) === sha256) return { kind: 'swapped', first, second };
    }
  }
  return null;
}

function bytesOf(lines: readonly Buffer[]): number {
  // The constant stands for the work beside the hash.
  return lines.reduce((sum, line) => sum + line.length + 200, 0);
}
