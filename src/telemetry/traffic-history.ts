/** The traffic of the last hour, from the deltas of the relay threads: handshakes, messages, times, failures of endpoints. */

import { budgetBounds, secondsBounds } from './bucket-counts.ts';
import { elapsedMs } from './clock.ts';
import type { EndpointDelta } from './endpoint-meter.ts';
import type { HandshakeVerdict, MeterDelta } from './meter.ts';
import { quantile } from './quantile.ts';
import { noRoute } from './route-meter.ts';
import { StepCounts, stepMs } from './step-counts.ts';

export interface TrafficSteps {
  readonly stepSeconds: number;
  /** The end of each complete step, milliseconds since the epoch. The other lists are in the same order. */
  readonly ends: readonly number[];
  readonly allowed: readonly number[];
  readonly denied: readonly number[];
  readonly failed: readonly number[];
  readonly messages: readonly number[];
  readonly late: readonly number[];
  /** Milliseconds; null: no message with a route. */
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

export interface TrafficMinute {
  readonly seconds: number;
  readonly messages: number;
  readonly late: number;
  readonly shed: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface RouteBudget {
  readonly route: string;
  /** Messages of the last minute that were compared with the budget of the route. */
  readonly messages: number;
  /** Those that took longer. */
  readonly over: number;
}

export interface VerdictCount {
  readonly verdict: HandshakeVerdict;
  /** `none` for `allow`. */
  readonly reason: string;
  readonly count: number;
}

/** Complete steps that make up the last minute together with the present one. */
const minuteSteps = 5;
/** Buckets of messages within their budget; further ones are over it. */
const withinBudget = budgetBounds.indexOf(1) + 1;
/** Of the messages of a route, where its 99th percentile is within its budget. */
const maxShareOver = 0.01;
const buckets = [...secondsBounds, Number.POSITIVE_INFINITY].map((bound) => `${bound}`);

interface Clocks {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Milliseconds; never goes back, and goes on while the machine sleeps. */
  readonly elapsed?: () => number;
}

/** Steps are counted by a clock that cannot be set; their ends are given in the time of the clock at each call. */
export class TrafficHistory {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #startedAt: number;
  readonly #startedElapsed: number;
  /** By verdict and reason. */
  readonly #handshakes: StepCounts;
  /** `messages`, `late`, `shed`. */
  readonly #messages: StepCounts;
  /** Messages with a route, by the upper bound of their total time. */
  readonly #times: StepCounts;
  /** `all` and `over` the budget, by route. */
  readonly #budgets: StepCounts;
  /** Failed connection attempts and messages, by endpoint. */
  readonly #failures: StepCounts;
  /** The endpoints whose last connection attempts failed. */
  readonly #unreachable = new Set<string>();

  constructor({ now = Date.now, elapsed = elapsedMs }: Clocks = {}) {
    this.#now = now;
    this.#elapsed = elapsed;
    this.#startedAt = now();
    this.#startedElapsed = elapsed();
    this.#handshakes = new StepCounts(this.#startedAt);
    this.#messages = new StepCounts(this.#startedAt);
    this.#times = new StepCounts(this.#startedAt);
    this.#budgets = new StepCounts(this.#startedAt);
    this.#failures = new StepCounts(this.#startedAt);
  }

  merge({ handshakes, routes, endpoints }: MeterDelta): void {
    const now = this.#time();
    for (const [verdict, reason, count] of handshakes)
      this.#handshakes.add(`${verdict} ${reason}`, count, now);
    for (const { route, codes, late, shed, total, budget } of routes) {
      this.#messages.add('messages', sum(codes.map(([, count]) => count)), now);
      this.#messages.add('late', late, now);
      this.#messages.add('shed', sum(Object.values(shed)), now);
      // Requests without a route are refused at once: their times say nothing about the host or the gateway.
      if (route === noRoute) continue;
      for (const [index, bucket] of buckets.entries()) this.#times.add(bucket, total.counts[index] ?? 0, now);
      this.#budgets.add(`all ${route}`, sum(budget.counts), now);
      this.#budgets.add(`over ${route}`, sum(budget.counts.slice(withinBudget)), now);
    }
    for (const delta of endpoints) this.#mergeEndpoint(delta, now);
  }

  /** The complete steps of the last hour. */
  steps(): TrafficSteps {
    const now = this.#advance();
    const setBy = Math.round((this.#now() - now) / 1000) * 1000;
    const messages = this.#messages;
    const times = buckets.map((bucket) => this.#times.complete(bucket));
    const percentile = (share: number) =>
      messages.ends().map((_, step) =>
        milliseconds(
          times.map((counts) => counts[step] ?? 0),
          share,
        ),
      );
    return {
      stepSeconds: stepMs / 1000,
      ends: messages.ends().map((end) => end + setBy),
      allowed: this.#verdicts('allow'),
      denied: this.#verdicts('deny'),
      failed: this.#verdicts('failed'),
      messages: messages.complete('messages'),
      late: messages.complete('late'),
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
    };
  }

  /** The last 50 to 60 seconds, less after the start. */
  minute(): TrafficMinute {
    const now = this.#advance();
    const count = (key: string) => this.#messages.sum(key, minuteSteps);
    const times = buckets.map((bucket) => this.#times.sum(bucket, minuteSteps));
    const since = Math.max(this.#startedAt, this.#messages.since(minuteSteps));
    return {
      seconds: Math.round(Math.max(now - since, 0)) / 1000,
      messages: count('messages'),
      late: count('late'),
      shed: count('shed'),
      p50Ms: milliseconds(times, 0.5),
      p99Ms: milliseconds(times, 0.99),
    };
  }

  /**
   * The routes whose 99th percentile is over their own budget in the last minute: more than one in a hundred of their
   * messages took longer. Those with the largest share first.
   */
  overBudget(): RouteBudget[] {
    this.#advance();
    const count = (key: string) => this.#budgets.sum(key, minuteSteps);
    return this.#budgets
      .keys()
      .flatMap((key) => {
        if (!key.startsWith('over ')) return [];
        const route = key.slice('over '.length);
        const [over, messages] = [count(key), count(`all ${route}`)];
        return over > maxShareOver * messages ? [{ route, messages, over }] : [];
      })
      .sort((one, other) => other.over / other.messages - one.over / one.messages);
  }

  /** Handshakes of the last hour by verdict and reason, the most frequent first. */
  verdicts(): VerdictCount[] {
    this.#advance();
    return this.#handshakes
      .keys()
      .map((key) => {
        const [verdict, reason] = key.split(' ') as [HandshakeVerdict, string];
        return { verdict, reason, count: this.#handshakes.sum(key) };
      })
      .sort((one, other) => other.count - one.count);
  }

  /** Failed connection attempts and messages of the endpoint in the last hour. */
  failures(endpoint: string): number {
    this.#advance();
    return this.#failures.sum(endpoint);
  }

  /** Whether the last attempts to connect to the endpoint failed. */
  isUnreachable(endpoint: string): boolean {
    return this.#unreachable.has(endpoint);
  }

  #mergeEndpoint({ endpoint, connects, messageFailures, pools }: EndpointDelta, now: number): void {
    const { ok, ...failed } = connects;
    const failures = sum(Object.values(failed));
    this.#failures.add(endpoint, failures + sum(messageFailures.map(([, count]) => count)), now);
    // With TLS 1.3 a connection that the host refuses counts as ok first, and then as upstream_tls.
    if (ok > connects.upstream_tls || pools === 0) this.#unreachable.delete(endpoint);
    else if (failures > 0) this.#unreachable.add(endpoint);
  }

  /** Begins the present step; returns the time by the clock that cannot be set. */
  #advance(): number {
    const now = this.#time();
    for (const counts of [this.#handshakes, this.#messages, this.#times, this.#budgets, this.#failures])
      counts.advance(now);
    return now;
  }

  #time(): number {
    return this.#startedAt + this.#elapsed() - this.#startedElapsed;
  }

  #verdicts(verdict: string): number[] {
    const reasons = this.#handshakes.keys().filter((key) => key.startsWith(`${verdict} `));
    const series = reasons.map((key) => this.#handshakes.complete(key));
    return this.#handshakes.ends().map((_, step) => sum(series.map((counts) => counts[step] ?? 0)));
  }
}

/** Rounded to microseconds. */
function milliseconds(counts: readonly number[], share: number): number | null {
  const seconds = quantile(counts, { bounds: secondsBounds, share });
  return seconds === null ? null : Math.round(seconds * 1e6) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
