/** The client certificates that are in use, as far as it has to be shown when they end: those that end first. */

export interface ClientLeaf {
  readonly subject: string;
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** How many are shown. */
export const maxClientLeaves = 100;

/** One that was not seen for so long is dropped once its subject has a later one, or it has ended, ms. */
const retireAfterMs = 24 * 3_600_000;

/** A subject may have several certificates at a time, and a renewed one must not hide that another one ends. */
export class ClientLeaves {
  readonly #leaves = new Map<string, ClientLeaf & { readonly seenAt: number }>();

  /** `now`: milliseconds since the epoch. */
  see({ subject, serial, notAfter }: ClientLeaf, now: number): void {
    this.#leaves.set(`${serial} ${subject}`, { subject, serial, notAfter, seenAt: now });
    if (this.#leaves.size > maxClientLeaves) this.#dropLast();
  }

  /** Those that are in use, as far as it is known. */
  current(now: number): ClientLeaf[] {
    const latest = new Map<string, number>();
    for (const { subject, notAfter } of this.#leaves.values())
      latest.set(subject, Math.max(notAfter, latest.get(subject) ?? notAfter));
    for (const [key, { subject, notAfter, seenAt }] of this.#leaves) {
      const isReplaced = notAfter < (latest.get(subject) ?? notAfter);
      if (now - seenAt > retireAfterMs && (isReplaced || now > notAfter)) this.#leaves.delete(key);
    }
    return [...this.#leaves.values()].map(({ subject, serial, notAfter }) => ({ subject, serial, notAfter }));
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
