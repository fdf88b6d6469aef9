/** Decides when a failed batch is sent again, and when it is dropped. */
import { pause } from '../fetch/pause.ts';
import type { CollectorResult } from './collector.ts';

/** As in OpenTelemetry's own exporters, ms. */
const MAX_BACKOFF_MS = 30_000;
const GIVE_UP_MS = 60_000;
/** Maximum of Retry-After, ms. */
const MAX_WAIT_MS = 300_000;

export type FailedExport = Extract<CollectorResult, { kind: 'retryable' | 'no_response' }>;

interface Attempt {
  readonly result: FailedExport;
  /** Consecutive failed attempts, including this one. */
  readonly failures: number;
  /** Time of the first attempt for this batch, and now; ms since the epoch. */
  readonly firstSentAt: number;
  readonly now: number;
  /** From 0 to 1. */
  readonly random: number;
}

/** `wait`: ms until the next attempt. `giveUp`: the batch is dropped, and the next attempt sends the following batch. */
export function retry(attempt: Attempt): { readonly wait: number; readonly giveUp: boolean } {
  const { result, failures, firstSentAt, now, random } = attempt;
  const requested = result.kind === 'retryable' ? readRetryAfter(result.retryAfter, now) : null;
  const wait = Math.min(requested ?? pause({ failures, refresh: MAX_BACKOFF_MS, random }), MAX_WAIT_MS);
  return { wait, giveUp: now + wait - firstSentAt > GIVE_UP_MS };
}

/** Ms of a Retry-After value, which is seconds or a date (RFC 9110 §10.2.3); null: neither, or in the past. */
function readRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return wait > 0 ? wait : null;
}
