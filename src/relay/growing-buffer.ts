/** Buffers a body: of a response until its length is known, of a request until its signature is checked. */
import { noBytes } from '../message/head-buffer.ts';

export class GrowingBuffer {
  #bytes: Buffer | null = null;
  #size = 0;
  readonly #expected: number;

  /** `expected`: the size that the body will have; absent: not known. It is allocated as bytes arrive, and not exceeded. */
  constructor(expected = Number.POSITIVE_INFINITY) {
    this.#expected = expected;
  }

  /** Bytes in the buffer. */
  get size(): number {
    return this.#size;
  }

  /** Copies bytes `at` to `end`, because the read buffer is reused. Grows by doubling, as message/head-buffer.ts does. */
  add(bytes: Buffer, at: number, end: number): void {
    const needed = this.#size + end - at;
    if (this.#bytes === null || this.#bytes.length < needed) {
      const grown = Buffer.allocUnsafeSlow(
        Math.max(needed, Math.min(Math.max(1024, needed * 2), this.#expected)),
      );
      if (this.#bytes !== null) grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(at, end), this.#size);
    this.#size = needed;
  }

  /** The bytes, until the next `add` or `take`. */
  get bytes(): Buffer {
    return this.#bytes?.subarray(0, this.#size) ?? noBytes;
  }

  /** Returns the bytes and empties the buffer. */
  take(): Buffer {
    const taken = this.bytes;
    this.#bytes = null;
    this.#size = 0;
    return taken;
  }
}
