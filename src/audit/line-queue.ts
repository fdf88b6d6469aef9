/** The lines that wait to be written, in order, and the next chunk of them. */
import { countRecords, type Lines, newline } from './lines.ts';

export class LineQueue {
  #items: Lines[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(lines: Lines): void {
    this.#items.push(lines);
    this.#bytes += lines.bytes.length;
  }

  countRecords(): number {
    return this.#items.reduce((sum, lines) => sum + countRecords(lines), 0);
  }

  /** Whether the first line has at most `max` bytes; false if there is none. */
  fits(max: number): boolean {
    const [first] = this.#items;
    if (first === undefined) return false;
    return first.bytes.length <= max || first.bytes.indexOf(newline) < max;
  }

  /**
   * Takes whole lines of at most `max` bytes together as one chunk, or the first line if it is longer. Calls `done` of
   * what was copied into the chunk. null: nothing waits.
   */
  take(max: number): Lines | null {
    const [first] = this.#items;
    if (first === undefined) return null;
    if (first.bytes.length > max) return this.#split(first, max);
    let bytes = 0;
    let end = 0;
    for (const item of this.#items) {
      if (bytes + item.bytes.length > max) break;
      bytes += item.bytes.length;
      end++;
    }
    this.#bytes -= bytes;
    return joined(this.#items.splice(0, end));
  }

  /** Calls `done` of everything. */
  clear(): void {
    for (const { done } of this.#items) done?.();
    this.#items = [];
    this.#bytes = 0;
  }

  /** Takes the first lines of the first item. */
  #split(first: Lines, max: number): Lines {
    const fitting = first.bytes.lastIndexOf(newline, max - 1);
    const end = (fitting >= 0 ? fitting : first.bytes.indexOf(newline)) + 1;
    this.#bytes -= end;
    const rest = first.bytes.subarray(end);
    if (rest.length === 0) {
      this.#items.shift();
      return first;
    }
    this.#items[0] = { bytes: rest, done: first.done };
    return { bytes: first.bytes.subarray(0, end), done: undefined };
  }
}

/** One chunk for a single write. */
function joined(items: readonly Lines[]): Lines {
  const [first] = items;
  if (items.length === 1 && first !== undefined) return first;
  const bytes = Buffer.concat(items.map((each) => each.bytes));
  for (const { done } of items) done?.();
  return { bytes, done: undefined };
}
