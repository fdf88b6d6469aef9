/** Buffers a head that arrives in pieces. A head that arrives in one piece is not copied. */
import { BROKEN, findHeadEnd, INCOMPLETE } from './field-section.ts';

const CR = 0x0d;
const LF = 0x0a;

/** One for all, since to make an empty buffer costs as much as to make a full one. */
export const noBytes = Buffer.alloc(0);

export class HeadBuffer {
  /** Holds the head and the bytes after it, from `start` to `end`. */
  bytes: Buffer = noBytes;
  start = 0;
  end = 0;

  readonly #skipsEmptyLine: boolean;
  /** How much of the empty line before the head has arrived: 0 nothing, 1 its CR, 2 all of it. */
  #emptyLine: 0 | 1 | 2 = 0;
  #kept: Buffer | null = null;
  #keptEnd = 0;

  /** `skipEmptyLine`: ignore one CRLF before a head, as RFC 9112 §2.2 requires for requests. */
  constructor({ skipEmptyLine = false }: { readonly skipEmptyLine?: boolean } = {}) {
    this.#skipsEmptyLine = skipEmptyLine;
  }

  /** Part of a head has arrived, apart from an empty line before it. */
  get begun(): boolean {
    return this.#keptEnd > 0;
  }

  /** Discards a partial head. */
  reset(): void {
    this.#kept = null;
    this.#keptEnd = 0;
    this.#emptyLine = 0;
  }

  /** Adds bytes; returns the index in `this.bytes` after the head, `INCOMPLETE` or `BROKEN`. */
  append(bytes: Buffer, at: number, end: number): number {
    if (this.#skipsEmptyLine && this.#keptEnd === 0) {
      at = this.#skipEmptyLine(bytes, at, end);
      if (at === BROKEN) return BROKEN;
      if (at === end) return INCOMPLETE;
    }
    let from = at;
    if (this.#keptEnd > 0) {
      from = this.#keptEnd;
      this.#keep(bytes, at, end);
      this.bytes = this.#kept as Buffer;
      this.start = 0;
      this.end = this.#keptEnd;
    } else {
      this.bytes = bytes;
      this.start = at;
      this.end = end;
    }
    const found = findHeadEnd(this.bytes, { start: this.start, from, end: this.end });
    if (found !== INCOMPLETE) this.reset();
    else if (this.#keptEnd === 0) this.#keep(bytes, at, end);
    return found;
  }

  /** The index after the one empty line that may precede a head; `BROKEN`: a CR without LF. */
  #skipEmptyLine(bytes: Buffer, at: number, end: number): number {
    if (this.#emptyLine === 0 && at < end && bytes[at] === CR) {
      this.#emptyLine = 1;
      at++;
    }
    if (this.#emptyLine === 1 && at < end) {
      if (bytes[at] !== LF) return BROKEN;
      this.#emptyLine = 2;
      at++;
    }
    this.bytes = bytes;
    this.start = at;
    this.end = at;
    return at;
  }

  /** The complete head as latin1 text. */
  text(headEnd: number): string {
    return this.bytes.toString('latin1', this.start, headEnd);
  }

  /** The buffer doubles when full: a head of n bytes that arrives byte by byte costs O(n) copied bytes, not O(n²). */
  #keep(bytes: Buffer, at: number, end: number): void {
    const needed = this.#keptEnd + end - at;
    if (this.#kept === null || this.#kept.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, needed * 2));
      if (this.#kept !== null) grown.set(this.#kept.subarray(0, this.#keptEnd));
      this.#kept = grown;
    }
    this.#kept.set(bytes.subarray(at, end), this.#keptEnd);
    this.#keptEnd = needed;
  }
}
