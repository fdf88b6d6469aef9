/** The hour of history as the series of the charts: counts by the minute, rates and latency by the step. */
import type { History } from '../../status.ts';

export type Values = readonly (number | null)[];

export interface Series {
  /** The middle of each minute or step, seconds since the epoch. */
  readonly times: readonly number[];
  readonly values: Values;
}

const secondsOfMinute = 60;

/** Counts of steps added up by the minute in which the step ends: a bar for each minute, the last one still growing. */
export function perMinute({ ends }: Pick<History, 'ends'>, counts: readonly number[]): Series {
  const sums = new Map<number, number>();
  for (const [index, end] of ends.entries()) {
    // A step that ends with the minute belongs to it.
    const minute = Math.ceil(end / secondsOfMinute) - 1;
    sums.set(minute, (sums.get(minute) ?? 0) + (counts[index] ?? 0));
  }
  const times = [...sums.keys()].map((minute) => (minute + 0.5) * secondsOfMinute);
  return { times, values: [...sums.values()] };
}

/** Messages per second in each step. */
export function rateOf({ ends, messages, stepSeconds }: History): Series {
  return { times: [...ends], values: messages.map((count) => count / stepSeconds) };
}

export function latencyOf({ ends }: History, percentile: Values): Series {
  return { times: [...ends], values: percentile };
}

export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** null: no value. */
export function largest(values: Values): number | null {
  return values.reduce(
    (most, value) => (value === null || (most !== null && value <= most) ? most : value),
    null,
  );
}

/** null: no value. */
export function latest(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}
