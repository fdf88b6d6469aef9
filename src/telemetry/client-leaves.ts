/** The client certificates in use that expire first, for the expiry metric. */

export interface ClientLeaf {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** How many certificates are kept. */
const maxClientLeaves = 100;

/** A certificate not seen for this long is dropped once it has expired or its subject has a later one, ms. */
const retireAfterMs = 24 * 3_600_000;

/** Keyed by certificate, not by subject: a renewed certificate must not hide that another one of its subject expires. */
export class ClientLeaves {
  readonly #leaves = new Map<string, ClientLeaf & { readonly seenAt: number }>();

  /** `now`: milliseconds since the epoch. */
  add({ subject, issuer, serial, notAfter }: ClientLeaf, now: number): void {
    this.#leaves.set(`${serial} ${subject}`, { subject, issuer, serial, notAfter, seenAt: now });
    if (this.#leaves.size > maxClientLeaves) this.#dropLast();
  }

  /** The certificates in use, with when each was last seen (ms since the epoch); drops those that are retired. `now`: milliseconds since the epoch. */
  current(now: number): (ClientLeaf & { readonly seenAt: number })[] {
    const latest = new Map<string, number>();
    for (const { subject, notAfter } of this.#leaves.values())
      latest.set(subject, Math.max(notAfter, latest.get(subject) ?? notAfter));
    for (const [key, { subject, notAfter, seenAt }] of this.#leaves) {
      const isReplaced = notAfter < (latest.get(subject) ?? notAfter);
      if (now - seenAt > retireAfterMs && (isReplaced || now > notAfter)) this.#leaves.delete(key);
    }
    return [...this.#leaves.values()];
  }

  /** Those added since the last `clear`, without the time. */
  added(): ClientLeaf[] {
    return [...this.#leaves.values()].map(({ seenAt, ...leaf }) => leaf);
  }

  clear(): void {
    this.#leaves.clear();
  }

  #dropLast(): void {
    let last = '';
    let end = Number.NEGATIVE_INFINITY;
    for (const [key, { notAfter }] of this.#leaves) if (notAfter >= end) [last, end] = [key, notAfter];
    this.#leaves.delete(last);
  }
}
