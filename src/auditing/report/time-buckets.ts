/** Counts over time in a limited number of steps, whose length doubles as the period grows. */

export interface Bucket {
  allow: number;
  deny: number;
  failed: number;
  messages: number;
  late: number;
}

const maxBuckets = 4_096;

export class TimeBuckets {
  /** Seconds of a step. */
  step = 60;
  /** Step number (seconds since the epoch ÷ `step`) → counts. */
  readonly #buckets = new Map<number, Bucket>();

  at(milliseconds: number): Bucket {
    const key = Math.floor(milliseconds / 1000 / this.step);
    const found = this.#buckets.get(key);
    if (found !== undefined) return found;
    if (this.#buckets.size >= maxBuckets) {
      this.#double();
      return this.at(milliseconds);
    }
    const made = { allow: 0, deny: 0, failed: 0, messages: 0, late: 0 };
    this.#buckets.set(key, made);
    return made;
  }

  /** At most `max` steps from the first to the last, each with its begin in milliseconds; empty ones in between too. */
  within(max: number): { readonly begin: number; readonly bucket: Bucket }[] {
    if (this.#buckets.size === 0) return [];
    while (this.#span() > max) this.#double();
    const first = Math.min(...this.#buckets.keys());
    return Array.from({ length: this.#span() }, (_, index) => ({
      begin: (first + index) * this.step * 1000,
      bucket: this.#buckets.get(first + index) ?? { allow: 0, deny: 0, failed: 0, messages: 0, late: 0 },
    }));
  }

  #span(): number {
    const keys = [...this.#buckets.keys()];
    return Math.max(...keys) - Math.min(...keys) + 1;
  }

  #double(): void {
    const before = [...this.#buckets];
    this.#buckets.clear();
    this.step *= 2;
    for (const [key, counts] of before) {
      const into = this.at(key * (this.step / 2) * 1000);
      for (const name of Object.keys(counts) as (keyof Bucket)[]) into[name] += counts[name];
    }
  }
}
