/** Limits the handshakes per second of each address: a token bucket per address, in bounded memory. */
import { networkOf } from './address.ts';

/** Maximum number of addresses; the least recently seen one is evicted. */
const MAX_ADDRESSES = 10_000;

interface Bucket {
  tokens: number;
  /** `now` of the last `take`, ms. */
  filledAt: number;
}

export class HandshakeRate {
  readonly #buckets = new Map<string, Bucket>();

  /** Number of addresses with a bucket. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Whether the address may begin another handshake: on average `perSecond`, with bursts of the same number. `now`: ms of
   * a monotonic clock. Text that is not an address has a bucket of its own.
   */
  take(address: string, { perSecond, now }: { readonly perSecond: number; readonly now: number }): boolean {
    const key = networkOf(address);
    const bucket = this.#buckets.get(key) ?? { tokens: perSecond, filledAt: now };
    // Reinsert the key, so that the first key in the map is the least recently seen.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOldest();

    const gained = ((now - bucket.filledAt) / 1000) * perSecond;
    bucket.tokens = Math.min(perSecond, bucket.tokens + gained);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
