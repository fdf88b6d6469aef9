/** Collects audit lines on a relay thread as bytes; the batch is transferred to the control thread without a copy. */

/** Allocating a buffer of this size is cheaper than transferring it back. */
const firstSize = 64 * 1024;
/** A spare buffer this many times longer than needed is dropped, so that memory used by a burst is freed. */
const maxSpareFactor = 16;

/** Whether to transfer the buffer of a written batch back to its relay thread. */
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

  /** The collected lines, in a buffer that may be transferred; null if there are none. */
  take(): Uint8Array<ArrayBuffer> | null {
    if (this.#end === 0) return null;
    const taken = this.#bytes.subarray(0, this.#end);
    this.#bytes = this.#next(this.#end);
    this.#end = 0;
    return taken;
  }

  /** Takes back the buffer of a written batch for reuse, which saves both threads garbage collection. */
  giveBack(buffer: ArrayBuffer): void {
    if (this.#spare === null || this.#spare.length < buffer.byteLength) this.#spare = Buffer.from(buffer);
  }

  /** A buffer for the next batch, which is expected to have about `size` bytes. */
  #next(size: number): Buffer<ArrayBuffer> {
    const wanted = Math.max(firstSize, size * 2);
    const spare = this.#spare;
    if (spare !== null && spare.length > wanted * maxSpareFactor) this.#spare = null;
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
