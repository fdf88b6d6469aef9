/** A histogram of durations in constant memory: linear steps within each power of two, as HdrHistogram has. */

/** Steps in each power of two: a recorded value is off by less than 1/128 of itself. */
const steps = 128;
const stepBits = 7;
/** Microseconds; a longer duration counts as this one, 71 minutes. */
const maxMicroseconds = 2 ** 32 - 1;
const buckets = indexOf(maxMicroseconds) + 1;

export class Histogram {
  count = 0;
  /** Milliseconds, exact; 0 if nothing was recorded. */
  max = 0;
  readonly #counts = new Uint32Array(buckets);
  #min = Number.POSITIVE_INFINITY;
  #sum = 0;

  /** Milliseconds, exact; 0 if nothing was recorded. */
  get min(): number {
    return this.count === 0 ? 0 : this.#min;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** `milliseconds`: a negative one counts as 0. */
  record(milliseconds: number): void {
    const duration = Math.max(0, milliseconds);
    const index = indexOf(Math.min(maxMicroseconds, Math.round(duration * 1000)));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count += 1;
    this.#sum += duration;
    this.max = Math.max(this.max, duration);
    this.#min = Math.min(this.#min, duration);
  }

  /**
   * A percentile by nearest rank, milliseconds; `share`: 0.99 for p99. `beyond`: number of values that were not recorded and
   * count as longer than every recorded one. null: the percentile is one of these, or there is no value.
   */
  percentile(share: number, beyond = 0): number | null {
    const rank = Math.max(1, Math.ceil(share * (this.count + beyond)));
    if (rank > this.count) return null;
    let passed = 0;
    for (const [index, count] of this.#counts.entries()) {
      passed += count;
      if (passed >= rank) return Math.min(this.max, Math.max(this.min, middleOf(index)));
    }
    return this.max;
  }

  /** How many values lie between each two neighbours of `bounds` (milliseconds, ascending), and above the last. */
  between(bounds: readonly number[]): number[] {
    const counts = bounds.map(() => 0);
    let interval = 0;
    for (const [index, count] of this.#counts.entries()) {
      if (count === 0) continue;
      const value = middleOf(index);
      while (interval < bounds.length - 1 && value >= (bounds[interval + 1] ?? 0)) interval += 1;
      counts[interval] = (counts[interval] ?? 0) + count;
    }
    return counts;
  }
}

/** Below 256 µs every microsecond has a bucket. */
function indexOf(microseconds: number): number {
  const shift = Math.max(0, 31 - Math.clz32(microseconds) - stepBits);
  return shift * steps + (microseconds >>> shift);
}

/** Milliseconds. */
function middleOf(index: number): number {
  const shift = Math.max(0, Math.floor(index / steps) - 1);
  const from = (index - shift * steps) * 2 ** shift;
  return (from + (2 ** shift - 1) / 2) / 1000;
}
