/** The observations of one histogram in a relay thread: one count per bucket, without allocation. */

/** Upper bounds, seconds; 0.2 s is EHI's default deadline. */
export const secondsBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10,
] as const;

/** Upper bounds of total time divided by the route's budget; above 1 the message was late. */
export const budgetBounds = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.5, 2, 5, 10] as const;

/** New observations of one histogram: one count per bound, and one above the last bound; not cumulative. */
export interface HistogramDelta {
  readonly counts: readonly number[];
  readonly sum: number;
}

export class Counts {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds`: ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Ignores NaN. */
  observe(value: number): void {
    if (Number.isNaN(value)) return;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  take(): HistogramDelta {
    const delta = { counts: [...this.#counts], sum: this.#sum };
    this.#counts.fill(0);
    this.#sum = 0;
    return delta;
  }
}

export function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
