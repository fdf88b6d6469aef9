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

interface Debt {
  /** CPU time, ms, at `at`. */
  level: number;
  at: number;
}

/** A leaky bucket for each address (of IPv6 its /64): filled by what connections cost, emptied by time. */
export class HandshakeCosts {
  readonly #debts = new Map<string, Debt>();

  /** How many addresses are remembered. */
  get size(): number {
    return this.#debts.size;
  }

  /** `now`: milliseconds, from any point on. */
  waits(address: string, now: number): boolean {
    if (this.#debts.size === 0) return false;
    const network = networkOf(address);
    const debt = this.#debts.get(network);
    if (debt === undefined) return false;
    const level = levelAt(debt, now);
    if (level === 0) this.#debts.delete(network);
    return level > CAPACITY_MS;
  }

  /** One connection of this address took so much CPU time, ms. */
  charge(address: string, { spent, now }: { readonly spent: number; readonly now: number }): void {
    if (spent <= ORDINARY_MS) return;
    const network = networkOf(address);
    const before = this.#debts.get(network);
    this.#debts.delete(network);
    const level = (before === undefined ? 0 : levelAt(before, now)) + spent - ORDINARY_MS;
    this.#debts.set(network, { level, at: now });
    if (this.#debts.size > MAX_ADDRESSES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const oldest of this.#debts.keys()) {
      this.#debts.delete(oldest);
      return;
    }
  }
}

function levelAt({ level, at }: Debt, now: number): number {
  return Math.max(0, level - (now - at) * SHARE);
}
