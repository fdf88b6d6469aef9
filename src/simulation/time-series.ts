/** What happened in each span of time: attempts, failures and latency. At most 600 spans, so that a long simulation fits. */
import { Histogram } from '../evidence/histogram.ts';

const maxSpans = 600;

export interface TimeSpan {
  /** Seconds after the begin. */
  readonly second: number;
  sent: number;
  answered: number;
  failed: number;
  /** Milliseconds from the schedule; null: no answer in this span. */
  p50: number | null;
  p99: number | null;
  max: number | null;
}

export class TimeSeries {
  /** Seconds of one span. */
  readonly step: number;
  readonly #spans: TimeSpan[] = [];
  #latency = new Histogram();
  #began = performance.now();

  /** `span`: of the whole simulation, ms. */
  constructor(span: number) {
    this.step = Math.max(1, Math.ceil(span / 1000 / maxSpans));
  }

  begin(now: number): void {
    this.#began = now;
  }

  sent(now: number): void {
    this.#at(now).sent += 1;
  }

  ended(now: number, { latency, failed }: { latency: number | null; failed: boolean }): void {
    const span = this.#at(now);
    if (failed) span.failed += 1;
    if (latency === null) return;
    span.answered += 1;
    this.#latency.record(latency);
  }

  /** Every span so far, those without an event included. */
  get spans(): readonly TimeSpan[] {
    this.#summarize();
    return this.#spans;
  }

  /** The last span that is complete; undefined: there is none. */
  get last(): TimeSpan | undefined {
    return this.#spans.at(-2);
  }

  #at(now: number): TimeSpan {
    const index = Math.max(0, Math.floor((now - this.#began) / 1000 / this.step));
    while (this.#spans.length <= index) {
      this.#summarize();
      this.#latency = new Histogram();
      const second = this.#spans.length * this.step;
      this.#spans.push({ second, sent: 0, answered: 0, failed: 0, p50: null, p99: null, max: null });
    }
    return this.#spans.at(-1) as TimeSpan;
  }

  #summarize(): void {
    const span = this.#spans.at(-1);
    if (span === undefined || this.#latency.count === 0) return;
    span.p50 = this.#latency.percentile(0.5);
    span.p99 = this.#latency.percentile(0.99);
    span.max = this.#latency.max;
  }
}
