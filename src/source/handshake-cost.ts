/** Which addresses have to wait because their handshakes, or their connections, took far more work than ordinary ones. */
import { networkOf } from './address.ts';

/** Addresses that are remembered; those that came first are forgotten first. */
const MAX_ADDRESSES = 10_000;
/** CPU time, ms: an ordinary full handshake takes one or two. */
const ORDINARY_MS = 10;
/** How many times as long as the work took the address waits: so it gets a twentieth of the thread at most. */
const WAIT_FACTOR = 20;

export class HandshakeCosts {
  /** Address (of IPv6 its /64) → when it may come again. */
  readonly #waiting = new Map<string, number>();

  get size(): number {
    return this.#waiting.size;
  }

  /** `now`: milliseconds, from any point on. */
  waits(address: string, now: number): boolean {
    if (this.#waiting.size === 0) return false;
    const network = networkOf(address);
    const until = this.#waiting.get(network);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#waiting.delete(network);
    return false;
  }

  /** One connection of this address took so much CPU time, ms. */
  charge(address: string, { spent, now }: { readonly spent: number; readonly now: number }): void {
    if (spent <= ORDINARY_MS) return;
    const network = networkOf(address);
    const until = Math.max(now, this.#waiting.get(network) ?? 0) + spent * WAIT_FACTOR;
    this.#waiting.delete(network);
    this.#waiting.set(network, until);
    if (this.#waiting.size > MAX_ADDRESSES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      return;
    }
  }
}
