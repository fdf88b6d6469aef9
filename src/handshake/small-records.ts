/**
 * Bounds the TLS records that a connection sends without conveying data: KeyUpdates (RFC 8446 §4.6.3), empty records, warning
 * alerts, or data in records of a few bytes. Each costs the thread work that no message pays for, and OpenSSL tells nobody of
 * most of them. What they have in common is counted: bytes on the wire that are no plaintext.
 */

/** What a record adds to its content at least, bytes: header, content type and authentication tag (RFC 8446 §5.2). */
const RECORD_BYTES = 22;
/** So much of its plaintext a connection may add in overhead for nothing: records of 88 bytes and more never count. */
const EARNED = 0.25;
/** Seconds of its rate that an admitted client may send at once. */
const BURST_SECONDS = 5;
/** A client that is not admitted sends one request and a close: so much, and a large record that is not complete yet. */
const STRANGER_BURST = 32 * 1024;
/** Its part of the rate. */
const STRANGER_PART = 0.05;

/** Two counters of one connection, in bytes: what came over the network, and what of it was plaintext. */
export interface Transfer {
  readonly ciphertext: number;
  readonly plaintext: number;
}

export interface OverheadLimits {
  /** Records without data, or nearly so, in a second. */
  readonly smallRecords: number;
  /** The connection's client was let in. */
  readonly admitted: boolean;
}

/** A leaky bucket: filled by overhead, emptied by time and by plaintext. */
export class Overhead {
  #ciphertext: number;
  #plaintext: number;
  #at: number;
  #level = 0;

  /** `now`: milliseconds, from any point on. */
  constructor({ ciphertext, plaintext }: Transfer, now: number) {
    this.#ciphertext = ciphertext;
    this.#plaintext = plaintext;
    this.#at = now;
  }

  /** True: more than the limits allow. */
  exceeds({ ciphertext, plaintext }: Transfer, now: number, limits: OverheadLimits): boolean {
    const { admitted, smallRecords } = limits;
    const rate = smallRecords * RECORD_BYTES * (admitted ? 1 : STRANGER_PART);
    const data = plaintext - this.#plaintext;
    const added = ciphertext - this.#ciphertext - data * (1 + EARNED);
    const drained = ((now - this.#at) / 1000) * rate;
    this.#level = Math.max(0, this.#level + added - drained);
    this.#ciphertext = ciphertext;
    this.#plaintext = plaintext;
    this.#at = now;
    return this.#level > (admitted ? Math.max(STRANGER_BURST, rate * BURST_SECONDS) : STRANGER_BURST);
  }
}
