/** Collects audit lines on a relay thread as bytes: a line is garbage at once, and the batch changes threads uncopied. */

/** A buffer of this size is sooner made anew than brought back. */
const firstSize = 64 * 1024;
/** A buffer so many times longer than the batch before is not used again: what a burst needed is not held for ever. */
const mostSpare = 16;

/** Whether the buffer of a batch, once it is written, is worth a message to the thread that collects. */
export function isWorthGivingBack({ buffer }: Uint8Array<ArrayBuffer>): boolean {
  return buffer.byteLength > firstSize;
}

export class AuditBatch {
  #bytes = Buffer.allocUnsafeSlow(firstSize);
  #end = 0;
  #spare: Buffer<ArrayBuffer> | null = null;

  /** One or more whole lines, each with its newline. */
  add(lines: string): void {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const needed = this.#end + lines.length * 3;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#end += this.#bytes.write(lines, this.#end);
  }

  /** What was collected, in a buffer of its own that may be transferred; null: nothing. */
  take(): Uint8Array<ArrayBuffer> | null {
    if (this.#end === 0) return null;
    const taken = this.#bytes.subarray(0, this.#end);
    this.#bytes = this.#next(this.#end);
    this.#end = 0;
    return taken;
  }

  /** The buffer of an earlier batch, which nobody reads any more: new ones would have both threads collect garbage. */
  giveBack(buffer: ArrayBuffer): void {
    if (this.#spare === null || this.#spare.length < buffer.byteLength) this.#spare = Buffer.from(buffer);
  }

  /** As much again is to be expected. */
  #next(size: number): Buffer<ArrayBuffer> {
    const wanted = Math.max(firstSize, size * 2);
    const spare = this.#spare;
    if (spare !== null && spare.length > wanted * mostSpare) this.#spare = null;
    else if (spare !== null && spare.length >= size) {
      this.#spare = null;
      return spare;
    }
    return Buffer.allocUnsafeSlow(wanted);
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(needed * 2);
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}
