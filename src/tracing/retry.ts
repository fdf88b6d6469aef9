/** When a batch that the collector did not take is sent again, and when it is given up. */
import { pause } from '../fetch/backoff.ts';
import type { CollectorAnswer } from './collector.ts';

/** As the exporters of OpenTelemetry's own libraries, ms. */
const LONGEST_BACKOFF_MS = 30_000;
const GIVE_UP_MS = 60_000;
/** A collector that asks for more is asked after this, ms. */
const LONGEST_WAIT_MS = 300_000;

export type FailedAnswer = Extract<CollectorAnswer, { kind: 'busy' | 'silent' }>;

interface Trial {
  readonly answer: FailedAnswer;
  /** Trials in a row that brought nothing, this one included. */
  readonly failures: number;
  /** When the batch was first sent, and now; milliseconds since the epoch. */
  readonly firstSentAt: number;
  readonly now: number;
  /** From 0 to 1. */
  readonly random: number;
}

/** Milliseconds until the collector is asked again, and whether still for this batch. */
export function retry(trial: Trial): { readonly wait: number; readonly giveUp: boolean } {
  const { answer, failures, firstSentAt, now, random } = trial;
  const asked = answer.kind === 'busy' ? readRetryAfter(answer.retryAfter, now) : null;
  const wait = Math.min(asked ?? pause({ failures, refresh: LONGEST_BACKOFF_MS, random }), LONGEST_WAIT_MS);
  return { wait, giveUp: now + wait - firstSentAt > GIVE_UP_MS };
}

/** RFC 9110 §10.2.3: seconds or a date; null: neither, or already over. */
function readRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return wait > 0 ? wait : null;
}
