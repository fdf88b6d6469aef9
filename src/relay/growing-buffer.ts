/** Buffers a body: of a response until its length is known, of a request until its signature is checked. */
import { noBytes } from '../message/head-buffer.ts';

export class GrowingBuffer {
  #bytes: Buffer = noBytes;
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

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /**
   * The capacity with `more` bytes. It grows by doubling, as that of message/head-buffer.ts does, but not beyond `limit`
   * unless the bytes themselves need more.
   */
  capacityWith(more: number, limit = Number.POSITIVE_INFINITY): number {
    const needed = this.#size + more;
    if (needed <= this.capacity) return this.capacity;
    return Math.max(needed, Math.min(Math.max(1024, needed * 2), this.#expected, limit));
  }

  /** Copies bytes `at` to `end`, because the read buffer is reused. `capacity`: from `capacityWith`. */
  add(bytes: Buffer, at: number, end: number, capacity = this.capacityWith(end - at)): void {
    if (capacity > this.capacity) {
      const grown = Buffer.allocUnsafeSlow(capacity);
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(at, end), this.#size);
    this.#size += end - at;
  }

  /** The bytes, until the next `add` or `take`. */
  get bytes(): Buffer {
    return this.#size === 0 ? noBytes : this.#bytes.subarray(0, this.#size);
  }

  /** Returns the bytes and empties the buffer. */
  take(): Buffer {
    const taken = this.bytes;
    this.#bytes = noBytes;
    this.#size = 0;
    return taken;
  }
}
