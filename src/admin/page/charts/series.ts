/** The hour of history as the series of the charts: counts by the minute, rates and latency by the step. */
import type { History } from '../../status-schema.ts';

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

/**
 * What the charts show: from the first step to the last one, between ten minutes and an hour, in whole minutes so that no
 * bar is cut. Seconds since the epoch; `now` is the end where there is no step yet.
 */
export function spanOf(
  { ends, stepSeconds }: Pick<History, 'ends' | 'stepSeconds'>,
  now: number,
): readonly [from: number, to: number] {
  const end = Math.ceil((ends.at(-1) ?? now) / secondsOfMinute);
  const begin = Math.floor(((ends[0] ?? now) - stepSeconds) / secondsOfMinute);
  const minutes = Math.min(60, Math.max(10, end - begin));
  return [(end - minutes) * secondsOfMinute, end * secondsOfMinute];
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
