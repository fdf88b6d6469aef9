/** Remembers what was found out about tokens, by their SHA-256: no token is stored. Bounded in number and in time. */

interface Entry<Finding> {
  readonly finding: Finding;
  /** Milliseconds since the epoch: it counts from `since` on and before `until`. A clock that was set back ends it too. */
  readonly since: number;
  readonly until: number;
}

/** Least recently used first. */
export class TokenCache<Finding> {
  readonly #entries = new Map<string, Entry<Finding>>();
  readonly #limit: number;

  /** `limit`: number of tokens. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** undefined: not known, or no longer. */
  get(digest: string, now: number): Finding | undefined {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    if (now < entry.since || now >= entry.until) {
      this.#entries.delete(digest);
      return undefined;
    }
    // Up to half full the order is not kept, since constant reordering makes a Map rebuild its table.
    if (this.#entries.size > this.#limit / 2) {
      this.#entries.delete(digest);
      this.#entries.set(digest, entry);
    }
    return entry.finding;
  }

  /** `since`: when the finding was made. */
  set(digest: string, entry: Entry<Finding>): void {
    if (entry.until <= entry.since) return;
    this.#entries.delete(digest);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#limit) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(digest, entry);
  }

  clear(): void {
    this.#entries.clear();
  }
}
