/** Refuses new connections of addresses whose connections took far more CPU time than ordinary ones, until it is paid off. */
import { networkOf } from './address.ts';

/** Maximum number of addresses; the one that was charged least recently is evicted. */
const MAX_ADDRESSES = 10_000;
/**
 * CPU time of a connection that is free of charge, ms. An ordinary handshake takes one or two milliseconds, but many times
 * that with an RSA-4096 server key, on a slow machine, or before V8 has compiled the code. Such clients must never wait.
 */
const ORDINARY_MS = 50;
/** The charge above which new connections of an address are refused, ms. */
const CAPACITY_MS = 100;
/** Fraction of the thread's time that an address may take beyond ordinary handshakes. */
const SHARE = 0.05;

interface Bucket {
  /** Charged CPU time at the time `at`, ms. */
  level: number;
  at: number;
}

/** A leaky bucket per address (IPv6: per /64): filled by the cost of connections, drained by time. */
export class HandshakeCosts {
  readonly #buckets = new Map<string, Bucket>();

  /** Number of addresses with a charge. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Whether new connections of the address are to be refused. `now`: ms of a monotonic clock. */
  mustWait(address: string, now: number): boolean {
    if (this.#buckets.size === 0) return false;
    const network = networkOf(address);
    const bucket = this.#buckets.get(network);
    if (bucket === undefined) return false;
    const level = levelAt(bucket, now);
    if (level === 0) this.#buckets.delete(network);
    return level > CAPACITY_MS;
  }

  /** Charges the CPU time of one connection. `spent`: ms; `now`: as for `mustWait`. */
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
