/** Random choices that a seed reproduces. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** `values`: not empty. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** The first value, but with this probability one of the others. */
  rarely<T>(probability: number, usual: T, others: readonly T[]): T {
    return this.chance(probability) ? this.pick(others) : usual;
  }

  /** One to `most` of the values, the same perhaps twice. */
  several<T>(most: number, values: readonly T[]): T[] {
    return Array.from({ length: 1 + this.below(most) }, () => this.pick(values));
  }
}

/**
 * For a test whose random choices are not fast-check's: prints its seed, which `EHI_TEST_SEED` sets to make the same choices
 * again.
 */
export function seeded(test: string): Random & { readonly seed: number } {
  const seed = Number(process.env.EHI_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.info(`${test}: EHI_TEST_SEED=${seed}`);
  return Object.assign(new Random(seed), { seed });
}
