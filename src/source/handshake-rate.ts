/** How often an address may begin a handshake: a token bucket for each, within bounded memory. */
import { networkOf } from './address.ts';

/** Addresses that are remembered; the least recently seen are forgotten first. */
const MAX_ADDRESSES = 10_000;

interface Bucket {
  tokens: number;
  /** Milliseconds, of the clock that `take` is given. */
  filledAt: number;
}

export class HandshakeRate {
  readonly #buckets = new Map<string, Bucket>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Whether the address may begin one more: `perSecond` on average, and as many at once. `now`: milliseconds, from any
   * point on. What is no address counts as one.
   */
  take(address: string, { perSecond, now }: { readonly perSecond: number; readonly now: number }): boolean {
    const key = networkOf(address);
    const bucket = this.#buckets.get(key) ?? { tokens: perSecond, filledAt: now };
    // Behind the others again: the first in the map is the one not seen for longest.
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
