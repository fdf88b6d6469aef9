/** The last refused and failed handshakes, of one relay thread between two reports or of all of them, bounded in number. */

/** How many are kept; equal ones count as one. */
export const maxRefusals = 50;
/** Another thread may report a handshake this much later than it was, ms; a larger difference is a clock that was set back. */
const disorderMs = 2_000;

export interface Refusal {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly connId: string;
  readonly sourceAddress: string | null;
  readonly verdict: 'deny' | 'failed';
  readonly reason: string;
  /** Masked and cut as in the audit record. */
  readonly detail: string | null;
  /** The `leaf` object of the audit record, as JSON. */
  readonly leaf: string | null;
}

/**
 * `count`: handshakes with the same source address, reason, leaf and, except for numbers such as a count of bytes, detail; the
 * facts are those of the last.
 */
export interface CountedRefusal extends Refusal {
  readonly count: number;
}

/** A TCP health check that connects every second would otherwise leave no room for anything else. */
export class Refusals {
  readonly #refusals = new Map<string, CountedRefusal>();
  #last: Refusal | null = null;

  add(refusal: Refusal, count = 1): void {
    this.#last = refusal;
    const { sourceAddress, verdict, reason, detail, leaf } = refusal;
    const key = `${sourceAddress}\n${verdict}\n${reason}\n${detail?.replaceAll(/\d+/g, '#')}\n${leaf}`;
    const known = this.#refusals.get(key);
    // Another thread may have reported a later handshake earlier.
    const isLater = known !== undefined && ageOf(known, refusal) < 0;
    this.#refusals.set(key, { ...(isLater ? known : refusal), count: count + (known?.count ?? 0) });
    if (this.#refusals.size > maxRefusals) this.#dropOldest(refusal);
  }

  /** The newest first, also after the clock was set back. */
  all(): CountedRefusal[] {
    const last = this.#last;
    if (last === null) return [];
    const ages = new Map([...this.#refusals.values()].map((each) => [each, ageOf(each, last)]));
    return [...ages]
      .sort(([one, age], [other, otherAge]) => (age === otherAge ? other.time - one.time : age - otherAge))
      .map(([refusal]) => refusal);
  }

  clear(): void {
    this.#refusals.clear();
  }

  #dropOldest(last: Refusal): void {
    let oldest = '';
    let most = Number.NEGATIVE_INFINITY;
    for (const [key, refusal] of this.#refusals) {
      const age = ageOf(refusal, last);
      if (age > most) [oldest, most] = [key, age];
    }
    this.#refusals.delete(oldest);
  }
}

/** How much older than the last one, ms; negative: later. From before the clock was set back: older than all others. */
function ageOf({ time }: Refusal, last: Refusal): number {
  const age = last.time - time;
  return age < -disorderMs ? Number.POSITIVE_INFINITY : age;
}
