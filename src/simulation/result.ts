/** The result of a simulation: the document of `--json`, and the source of the summary and the page. */
import type { Histogram } from '../evidence/histogram.ts';
import type { SimulationOptions } from './options.ts';
import type { Pool } from './pool.ts';
import type { Tally } from './tally.ts';
import type { TimeSpan } from './time-series.ts';

/** Milliseconds. A percentile counts attempts without an answer as longer than all others: null means such an attempt. */
export interface Latency {
  readonly min: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p99_9: number | null;
  readonly max: number | null;
}

export interface FailureEntry {
  readonly count: number;
  /** Status or error code → how often. */
  readonly details: Readonly<Record<string, number>>;
}

export interface Result {
  readonly url: string;
  readonly began: string;
  /** From the first message to the last answer. */
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly seed: number;
  readonly format: string;
  readonly connections_mode: 'keep-alive' | 'new';
  readonly expect_continue: boolean;
  readonly timeout_ms: number;
  readonly rate: {
    /** Messages a second. */
    readonly asked: number;
    readonly achieved: number;
    readonly kept: boolean;
    /** Messages that were sent more than 10 ms after they were due. */
    readonly behind: number;
    readonly max_lag_ms: number;
    /** Attempts that waited because of the limit of connections. */
    readonly limited: number;
  };
  readonly messages: {
    readonly sent: number;
    readonly acknowledged: number;
    readonly lost: number;
    /** Not acknowledged when the simulation was interrupted. */
    readonly pending: number;
    readonly types: Readonly<Record<string, number>>;
  };
  readonly attempts: {
    readonly sent: number;
    readonly resent: number;
    readonly acknowledged: number;
    /** Failure → how many attempts ended so. */
    readonly failures: Readonly<Record<string, FailureEntry>>;
    /** Second answers, and other bytes that belong to no message. */
    readonly doubled: number;
    readonly unanswered: number;
  };
  readonly latency_ms: { readonly from_schedule: Latency; readonly from_send: Latency };
  readonly connections: {
    readonly opened: number;
    readonly failed: Readonly<Record<string, number>>;
    readonly most: number;
    readonly open_ms: Latency;
  };
  /** From the schedule; `to_ms` null: no upper bound. */
  readonly histogram: readonly { from_ms: number; to_ms: number | null; count: number }[];
  readonly series: { readonly step_seconds: number; readonly spans: readonly TimeSpan[] };
}

/** At most this share of the messages may be sent late for the rate to count as kept. */
const tolerance = 0.01;

/** Bounds of the histogram, ms. */
const bounds = [
  0, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000,
];

export interface Finished {
  readonly options: SimulationOptions;
  readonly tally: Tally;
  readonly pool: Pick<Pool, 'most' | 'limited'>;
  /** Milliseconds. */
  readonly elapsed: number;
  readonly interrupted: boolean;
}

export function resultOf({ options, tally, pool, elapsed, interrupted }: Finished): Result {
  const { target, source, keepAlive, expectContinue, timeout } = options;
  return {
    url: target.url.href,
    began: source.began.toISOString(),
    seconds: round(elapsed / 1000),
    interrupted,
    seed: source.seed,
    format: source.format,
    connections_mode: keepAlive ? 'keep-alive' : 'new',
    expect_continue: expectContinue,
    timeout_ms: timeout,
    rate: rateOf({ options, tally, pool, elapsed, interrupted }),
    messages: {
      sent: tally.messages,
      acknowledged: tally.acknowledged,
      lost: tally.lost,
      pending: tally.pending,
      types: Object.fromEntries(tally.types),
    },
    attempts: attemptsOf(tally),
    latency_ms: {
      from_schedule: latencyOf(tally.fromSchedule, tally.unanswered),
      from_send: latencyOf(tally.fromSend, tally.unanswered),
    },
    connections: {
      opened: tally.opening.count,
      failed: Object.fromEntries(tally.openFailures),
      most: pool.most,
      open_ms: latencyOf(tally.opening, 0),
    },
    histogram: histogramOf(tally.fromSchedule),
    series: { step_seconds: tally.series.step, spans: tally.series.spans.map(roundSpan) },
  };
}

/** Every message was acknowledged; without a message nothing was shown. */
export function isDelivered({ messages: { sent, lost, pending } }: Result): boolean {
  return sent > 0 && lost + pending === 0;
}

function rateOf({ options: { rate }, tally, pool }: Finished): Result['rate'] {
  const { behind, messages, sending } = tally;
  return {
    asked: rate,
    // The first message is due at 0, so n messages take n intervals.
    achieved: round((messages * 1000) / (sending + 1000 / rate)),
    kept: behind <= messages * tolerance && pool.limited === 0,
    behind,
    max_lag_ms: round(tally.lag.max),
    limited: pool.limited,
  };
}

function attemptsOf(tally: Tally): Result['attempts'] {
  const failures = tally.failureCounts().map(({ failure, count, details }) => {
    const entry: FailureEntry = { count, details: Object.fromEntries(details) };
    return [failure, entry] as const;
  });
  return {
    sent: tally.attempts,
    resent: tally.attempts - tally.messages,
    acknowledged: tally.acknowledged,
    failures: Object.fromEntries(failures),
    doubled: tally.unasked,
    unanswered: tally.unanswered,
  };
}

function latencyOf(histogram: Histogram, beyond: number): Latency {
  const at = (share: number) => roundOrNull(histogram.percentile(share, beyond));
  const exact = (value: number) => (histogram.count === 0 ? null : round(value));
  return {
    min: exact(histogram.min),
    mean: exact(histogram.mean),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p99_9: at(0.999),
    max: exact(histogram.max),
  };
}

/** Without the empty intervals at both ends. */
function histogramOf(histogram: Histogram): Result['histogram'] {
  const counts = histogram.between(bounds);
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return [];
  const last = counts.findLastIndex((count) => count > 0);
  return counts.slice(first, last + 1).map((count, index) => ({
    from_ms: bounds[first + index] ?? 0,
    to_ms: bounds[first + index + 1] ?? null,
    count,
  }));
}

function roundSpan({ p50, p99, max, ...span }: TimeSpan): TimeSpan {
  return { ...span, p50: roundOrNull(p50), p99: roundOrNull(p99), max: roundOrNull(max) };
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : round(value);
}

/** Three decimals. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
