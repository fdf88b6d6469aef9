/** Counts of the last hour in steps of ten seconds, by key, in memory of a bounded size. */

/** Milliseconds. */
export const stepMs = 10_000;
/** Complete steps that are kept; with the present one there is one more. */
export const maxSteps = 360;

const slots = maxSteps + 1;

/** Times are milliseconds since the epoch. A time before the present step counts for the present step. */
export class StepCounts {
  readonly #series = new Map<string, Float64Array>();
  #first: number;
  #present: number;

  constructor(now: number) {
    this.#first = Math.floor(now / stepMs);
    this.#present = this.#first;
  }

  /** The number of keys is bounded by the caller; a key without a count in the last hour uses no memory. */
  add(key: string, count: number, now: number): void {
    this.advance(now);
    if (count === 0) return;
    let series = this.#series.get(key);
    if (series === undefined) {
      series = new Float64Array(slots);
      this.#series.set(key, series);
    }
    const slot = this.#present % slots;
    series[slot] = (series[slot] as number) + count;
  }

  /** Begins the step of `now`, and drops what is older than an hour. */
  advance(now: number): void {
    const step = Math.floor(now / stepMs);
    if (step <= this.#present) return;
    const cleared = Math.min(step - this.#present, slots);
    this.#present = step;
    this.#first = Math.max(this.#first, step - maxSteps);
    for (const [key, series] of this.#series) {
      for (let back = 0; back < cleared; back++) series[(step - back) % slots] = 0;
      if (series.every((count) => count === 0)) this.#series.delete(key);
    }
  }

  keys(): string[] {
    return [...this.#series.keys()];
  }

  /** The ends of the complete steps, the oldest first, in milliseconds since the epoch. */
  ends(): number[] {
    return this.#steps(maxSteps).map((step) => (step + 1) * stepMs);
  }

  /** The counts of the complete steps, in the order of `ends`. */
  complete(key: string): number[] {
    const series = this.#series.get(key);
    return this.#steps(maxSteps).map((step) => series?.[step % slots] ?? 0);
  }

  /** The sum over the present step and up to `steps` complete ones before it. */
  sum(key: string, steps = maxSteps): number {
    const series = this.#series.get(key);
    if (series === undefined) return 0;
    return [...this.#steps(steps), this.#present].reduce((sum, step) => sum + (series[step % slots] ?? 0), 0);
  }

  /** When the period of `sum` began. */
  since(steps = maxSteps): number {
    return (this.#steps(steps)[0] ?? this.#present) * stepMs;
  }

  /** The last `count` complete steps, the oldest first. */
  #steps(count: number): number[] {
    const first = Math.max(this.#first, this.#present - count);
    return Array.from({ length: this.#present - first }, (_, index) => first + index);
  }
}
