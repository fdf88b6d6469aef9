/** Collects audit lines on a relay thread as bytes: a line is garbage at once, and the batch changes threads uncopied. */

const firstSize = 64 * 1024;

export class AuditBatch {
  #bytes = Buffer.allocUnsafeSlow(firstSize);
  #end = 0;

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
    // As much again is to be expected.
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(firstSize, this.#end * 2));
    this.#end = 0;
    return taken;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(needed * 2);
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}
