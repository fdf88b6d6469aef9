/** Counts the results of the messages, in memory that does not grow with their number. */

import { Histogram } from '../evidence/histogram.ts';
import type { AttemptEnd, AttemptOptions } from './attempt.ts';
import { messageTypes } from './messages.ts';
import { type Failure, failures } from './outcomes.ts';
import { TimeSeries } from './time-series.ts';
import type { MessageType } from './transaction.ts';

interface FailureCount {
  count: number;
  /** Code or status → how often. */
  readonly details: Map<string, number>;
}

/** Details of one failure; further ones are counted as `other`. */
const maxDetails = 20;
/** An attempt that starts later than this, ms, was not sent at its time. */
const maxLag = 10;

export class Tally {
  /** Messages that were sent at least once. */
  messages = 0;
  acknowledged = 0;
  /** Not acknowledged, and not sent again any more. */
  lost = 0;
  /** Not acknowledged when the simulation was interrupted. */
  pending = 0;
  attempts = 0;
  /** Second answers, and other bytes that belong to no message. */
  unasked = 0;
  /** First attempts that started more than 10 ms after they were due. */
  behind = 0;
  /** Milliseconds from the begin to the last first attempt. */
  sending = 0;
  /** Attempts without a complete answer. */
  unanswered = 0;
  readonly types = new Map<MessageType, number>(messageTypes.map((type) => [type, 0]));
  readonly failures = new Map<Failure, FailureCount>();
  readonly fromSchedule = new Histogram();
  readonly fromSend = new Histogram();
  readonly lag = new Histogram();
  /** Milliseconds from connect to the end of the TLS handshake. */
  readonly opening = new Histogram();
  readonly openFailures = new Map<string, number>();
  readonly series: TimeSeries;
  #began = performance.now();
  readonly #typeOf: (index: number) => MessageType;

  /** `span`: how long the simulation may take, ms. */
  constructor(options: { readonly span: number; readonly typeOf: (index: number) => MessageType }) {
    this.series = new TimeSeries(options.span);
    this.#typeOf = options.typeOf;
  }

  /** `now`: performance.now() when the first message is due. */
  begin(now: number): void {
    this.#began = now;
    this.series.begin(now);
  }

  start({ index, number }: AttemptOptions, lag: number): void {
    this.attempts += 1;
    this.lag.record(lag);
    const now = performance.now();
    this.series.sent(now);
    if (number > 0) return;
    this.sending = now - this.#began;
    this.messages += 1;
    if (lag > maxLag) this.behind += 1;
    const type = this.#typeOf(index);
    this.types.set(type, (this.types.get(type) ?? 0) + 1);
  }

  end({ outcome, detail, fromSchedule, fromSend }: AttemptEnd): void {
    if (fromSchedule === null || fromSend === null) this.unanswered += 1;
    else {
      this.fromSchedule.record(fromSchedule);
      this.fromSend.record(fromSend);
    }
    this.series.ended(performance.now(), { latency: fromSchedule, failed: outcome !== 'acknowledged' });
    if (outcome === 'acknowledged') this.acknowledged += 1;
    else this.#fail(outcome, detail);
  }

  openFailed(detail: string): void {
    addTo(this.openFailures, detail);
  }

  countOf(failure: Failure): number {
    return this.failures.get(failure)?.count ?? 0;
  }

  /** In the order of the table of failures, without those that did not occur. */
  failureCounts(): { failure: Failure; count: number; details: ReadonlyMap<string, number> }[] {
    return (Object.keys(failures) as Failure[]).flatMap((failure) => {
      const found = this.failures.get(failure);
      return found === undefined ? [] : [{ failure, ...found }];
    });
  }

  #fail(failure: Failure, detail: string | null): void {
    let found = this.failures.get(failure);
    if (found === undefined) {
      found = { count: 0, details: new Map() };
      this.failures.set(failure, found);
    }
    found.count += 1;
    if (detail !== null) addTo(found.details, detail);
  }
}

function addTo(counts: Map<string, number>, key: string): void {
  const name = counts.has(key) || counts.size < maxDetails ? key : 'other';
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
