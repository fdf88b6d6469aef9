/**
 * Remembers which signed contents were accepted, in memory that all relay threads of the process share. Bounded in number and
 * in time; no content is stored, only a part of its SHA-256.
 */

/** Entries of one bucket, which its content alone chooses. */
const WAYS = 32;
/** A power of two: a million entries in 8 MiB. */
const BUCKETS = 32_768;
const BUCKET_BITS = 15n;

/** An entry is one word: 44 bits of the digest, then its last unit of time, so that both change at once. */
const UNIT_MS = 4096;
const TIME_BITS = 20n;
const TIME_MASK = (1 << 20) - 1;
/** Entries last for at most twice the longest tolerance, plus rounding; a word that seems to last longer is an old one. */
const MAX_UNITS = Math.ceil((2 * 3_600_000) / UNIT_MS) + 2;

export type Claim =
  /** Remembered from now on. */
  | 'fresh'
  /** Remembered before, by any thread. */
  | 'seen'
  /** Not remembered, since too many others are. */
  | 'full';

/**
 * Contents in one bucket on average, up to which a claim finds its bucket full less than once in a million: by the loss formula
 * of Erlang, of which the test has the computation.
 */
const USUAL_WAYS = 12;

/**
 * How many messages a second the memory carries, all routes of one mode together, if their timestamps agree with the clock of
 * the gateway. Beyond it more than one in a million is not remembered. `tolerance`: milliseconds.
 */
export function replayRate(tolerance: number): number {
  return Math.floor((BUCKETS * USUAL_WAYS * 1000) / (tolerance + UNIT_MS));
}

/** The memory of one process, for the routes of one mode. Zeros are free places. */
export function allocateReplayMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BUCKETS * WAYS * BigUint64Array.BYTES_PER_ELEMENT);
}

export class ReplayMemory {
  readonly #words: BigUint64Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new BigUint64Array(memory);
  }

  /**
   * Remembers a content until `until`. Of several claims of one content, in whatever threads, at most one is `fresh`. `digest`:
   * at least 16 bytes of a SHA-256. Times in milliseconds since the epoch; `until` at most two hours after `now`.
   */
  claim(digest: Buffer, { until, now }: { readonly until: number; readonly now: number }): Claim {
    const hash = digest.readBigUInt64LE(0);
    const tag = digest.readBigUInt64LE(8) << TIME_BITS;
    const bucket = Number(hash & ((1n << BUCKET_BITS) - 1n)) * WAYS;
    const current = unitOf(now);
    const word = BigInt.asUintN(64, tag) | BigInt(unitOf(until));
    for (;;) {
      const place = this.#findPlace(bucket, word, current);
      if (typeof place === 'string') return place;
      // Another thread took the place: look again, since it may have claimed the same content.
      if (Atomics.compareExchange(this.#words, place.index, place.found, word) !== place.found) continue;
      // A thread whose clock reading differs may have chosen another free place for the same content: then neither is fresh.
      return this.#isElsewhere(bucket, word, place.index, current) ? 'seen' : 'fresh';
    }
  }

  /** The first free place of the bucket. */
  #findPlace(
    bucket: number,
    word: bigint,
    current: number,
  ): { readonly index: number; readonly found: bigint } | 'seen' | 'full' {
    let free: { readonly index: number; readonly found: bigint } | null = null;
    for (let index = bucket; index < bucket + WAYS; index++) {
      const found = Atomics.load(this.#words, index);
      const live = isLive(found, current);
      if (live && isSameContent(found, word)) return 'seen';
      if (!live) free ??= { index, found };
    }
    return free ?? 'full';
  }

  #isElsewhere(bucket: number, word: bigint, own: number, current: number): boolean {
    for (let index = bucket; index < bucket + WAYS; index++) {
      const found = Atomics.load(this.#words, index);
      if (index !== own && isLive(found, current) && isSameContent(found, word)) return true;
    }
    return false;
  }
}

/** The unit that contains the time, and repeats after weeks. */
function unitOf(time: number): number {
  return Math.floor(time / UNIT_MS) & TIME_MASK;
}

function isLive(word: bigint, current: number): boolean {
  if (word === 0n) return false;
  const left = (Number(word & BigInt(TIME_MASK)) - current) & TIME_MASK;
  return left <= MAX_UNITS;
}

function isSameContent(word: bigint, other: bigint): boolean {
  return word >> TIME_BITS === other >> TIME_BITS;
}
