/** The last refused and failed handshakes, of one relay thread between two reports or of all of them, bounded in number. */

/** How many are kept; equal ones count as one. */
export const maxRefusals = 50;

export interface Refusal {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly connId: string;
  readonly sourceAddress: string | null;
  readonly verdict: 'deny' | 'failed';
  readonly reason: string;
  /** Not masked. */
  readonly detail: string | null;
  /** The `leaf` object of the audit record, as JSON. */
  readonly leaf: string | null;
}

/** `count`: handshakes with the same source address, reason, detail and leaf; the facts are those of the last. */
export interface CountedRefusal extends Refusal {
  readonly count: number;
}

/** A TCP health check that connects every second would otherwise leave no room for anything else. */
export class Refusals {
  readonly #refusals = new Map<string, CountedRefusal>();

  add(refusal: Refusal, count = 1): void {
    const { sourceAddress, verdict, reason, detail, leaf } = refusal;
    const key = `${sourceAddress}\n${verdict}\n${reason}\n${detail}\n${leaf}`;
    const known = this.#refusals.get(key);
    // Another thread may have reported a later handshake earlier.
    const last = known !== undefined && known.time > refusal.time ? known : refusal;
    this.#refusals.set(key, { ...last, count: count + (known?.count ?? 0) });
    if (this.#refusals.size > maxRefusals) this.#dropOldest();
  }

  /** In any order. */
  all(): CountedRefusal[] {
    return [...this.#refusals.values()];
  }

  clear(): void {
    this.#refusals.clear();
  }

  #dropOldest(): void {
    let oldest = '';
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { time }] of this.#refusals) if (time < least) [oldest, least] = [key, time];
    this.#refusals.delete(oldest);
  }
}
