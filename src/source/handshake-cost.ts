/** Which addresses have to wait because their connections took far more work than ordinary ones. */
import { networkOf } from './address.ts';

/** Addresses that are remembered; those that were charged first are forgotten first. */
const MAX_ADDRESSES = 10_000;
/**
 * CPU time of a handshake that is charged nothing, ms. An ordinary one takes one or two; with a server key of RSA-4096, on
 * a slow machine, or while V8 still compiles, many times that, and an honest caller must never wait for it.
 */
const ORDINARY_MS = 50;
/** Beyond this the address waits, ms. */
const CAPACITY_MS = 100;
/** How much of the thread's time an address may take beyond ordinary handshakes. */
const SHARE = 0.05;

interface Bucket {
  /** CPU time, ms, at `at`. */
  level: number;
  at: number;
}

/** A leaky bucket for each address (of IPv6 its /64): filled by what connections cost, emptied by time. */
export class HandshakeCosts {
  readonly #buckets = new Map<string, Bucket>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** `now`: milliseconds, from any point on. */
  mustWait(address: string, now: number): boolean {
    if (this.#buckets.size === 0) return false;
    const network = networkOf(address);
    const bucket = this.#buckets.get(network);
    if (bucket === undefined) return false;
    const level = levelAt(bucket, now);
    if (level === 0) this.#buckets.delete(network);
    return level > CAPACITY_MS;
  }

  /** One connection of this address took so much CPU time, ms. */
  charge(address: string, { spent, now }: { readonly spent: number; readonly now: number }): void {
    if (spent <= ORDINARY_MS) return;
    const network = networkOf(address);
    const before = this.#buckets.get(network);
    this.#buckets.delete(network);
    const level = (before === undefined ? 0 : levelAt(before, now)) + spent - ORDINARY_MS;
    this.#buckets.set(network, { level, at: now });
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

function levelAt({ level, at }: Bucket, now: number): number {
  return Math.max(0, level - (now - at) * SHARE);
}
