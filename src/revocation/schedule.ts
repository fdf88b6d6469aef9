/** When a revocation source is fetched again: after `refresh`, earlier when the data in use expires before that. */
import { pause } from '../fetch/backoff.ts';

/** Minimum delay for a source whose data is about to expire, ms. */
const MIN_DELAY = 10_000;

export interface ScheduleInput {
  /** Consecutive failed attempts; data that has already expired counts as a failure. */
  readonly failures: number;
  /** Milliseconds between two successful fetches. */
  readonly refresh: number;
  /** When the data in use expires, ms since the epoch; null: never. */
  readonly end: number | null;
  readonly now: number;
  /** From 0 to below 1. */
  readonly random: number;
}

/** Milliseconds until a CRL is fetched again: at the latest after 80 to 95 % of its remaining validity. */
export function crlDelay(input: ScheduleInput): number {
  return delay(input, 0.95 - 0.15 * input.random);
}

/** Milliseconds until an OCSP responder is queried again: at the latest after half of the remaining validity. */
export function ocspDelay(input: ScheduleInput): number {
  return delay(input, 0.5 - 0.05 * input.random);
}

function delay({ failures, refresh, end, now, random }: ScheduleInput, share: number): number {
  const regular = pause({ failures, refresh, random });
  if (failures > 0 || end === null) return regular;
  return Math.min(regular, Math.max(MIN_DELAY, (end - now) * share));
}
