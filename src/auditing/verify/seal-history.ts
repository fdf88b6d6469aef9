/** Remembers the last seals of a chain, to know one that stands twice. */

/** More than a day of seals at one a second. */
const maxSeals = 100_000;

export class SealHistory {
  readonly #hashes = new Map<number, string>();

  add(seq: number, hash: string): void {
    this.#hashes.set(seq, hash);
    if (this.#hashes.size <= maxSeals) return;
    const [oldest] = this.#hashes.keys();
    if (oldest !== undefined) this.#hashes.delete(oldest);
  }

  has(seq: number, hash: string): boolean {
    return this.#hashes.get(seq) === hash;
  }
}
