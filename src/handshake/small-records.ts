/**
 * Limits TLS records with little or no data (limits.smallRecords): KeyUpdates (RFC 8446 §4.6.3), empty records, warning
 * alerts, or data in records of a few bytes. Each costs the thread work without a message, and OpenSSL reports most of them
 * to no callback. So the limit is on their common measure: bytes on the wire that are not plaintext.
 */

/** Least overhead of a record, bytes: header, content type and authentication tag (RFC 8446 §5.2). */
const RECORD_BYTES = 22;
/** Overhead that is free, as a part of the plaintext: records of 88 bytes and more never count. */
const FREE_OVERHEAD = 0.25;
/** An authorized client may send its rate for this many seconds at once. */
const BURST_SECONDS = 3;
/**
 * Bytes. A client that is not authorized sends one request and a close: this is enough for them and for a large record that
 * is not complete yet.
 */
const UNAUTHORIZED_BURST = 32 * 1024;
/** Of the rate of an authorized client. */
const UNAUTHORIZED_PART = 0.05;

/** Counters of one connection, in bytes: what was received from the network, and its plaintext. */
export interface Transfer {
  readonly ciphertext: number;
  readonly plaintext: number;
}

export interface SmallRecordLimits {
  /** Records with little or no data per second. */
  readonly smallRecords: number;
  /** The connection's client is authorized. */
  readonly authorized: boolean;
}

/** A leaky bucket for one connection: overhead fills it, time and plaintext drain it. */
export class SmallRecordLimiter {
  #ciphertext: number;
  #plaintext: number;
  #at: number;
  #level = 0;

  /** `now`: milliseconds of a monotonic clock. */
  constructor({ ciphertext, plaintext }: Transfer, now: number) {
    this.#ciphertext = ciphertext;
    this.#plaintext = plaintext;
    this.#at = now;
  }

  /** Takes the counters of now and returns whether the limit is exceeded. */
  exceeds({ ciphertext, plaintext }: Transfer, now: number, limits: SmallRecordLimits): boolean {
    const { authorized, smallRecords } = limits;
    const rate = smallRecords * RECORD_BYTES * (authorized ? 1 : UNAUTHORIZED_PART);
    const data = plaintext - this.#plaintext;
    const added = ciphertext - this.#ciphertext - data * (1 + FREE_OVERHEAD);
    const drained = ((now - this.#at) / 1000) * rate;
    this.#level = Math.max(0, this.#level + added - drained);
    this.#ciphertext = ciphertext;
    this.#plaintext = plaintext;
    this.#at = now;
    const burst = authorized ? Math.max(UNAUTHORIZED_BURST, rate * BURST_SECONDS) : UNAUTHORIZED_BURST;
    return this.#level > burst;
  }
}
