/** A bounded queue of spans on its way to one collector: OpenTelemetry's batch processor, that nothing ever waits for. */
import { nodeTimers, type Timers } from '../fetch/timers.ts';
import { Collector, type CollectorAnswer } from './collector.ts';
import { exportRequest, requestStart } from './export-request.ts';
import { type FailedAnswer, retry } from './retry.ts';
import type { TracingSettings } from './settings.ts';

/** OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: their defaults. */
const mostQueued = 2048;
const mostSent = 512;
/** How long the end waits for what is still here, ms. */
const FAREWELL_MS = 1000;

export type DropReason =
  /** More were made than the collector took. */
  | 'queue_full'
  /** The collector took the batch without them. */
  | 'rejected'
  /** It answered with a status that is final. */
  | 'refused'
  /** No answer, or one that asks for patience, for a minute. */
  | 'undelivered'
  /** The gateway ended, or was told another collector, before they were sent. */
  | 'ended';

export interface SpanEvents {
  onExported(spans: number): void;
  onDropped(spans: number, reason: DropReason): void;
  /** Told once when spans begin not to be taken; null: they are again. */
  onTrouble(cause: string | null): void;
}

export interface ExporterOptions {
  readonly settings: TracingSettings;
  readonly version: string;
  readonly instanceId: string;
  readonly host: string;
  readonly events: SpanEvents;
  readonly timers?: Timers;
  readonly now?: () => number;
}

interface Batch {
  readonly spans: readonly string[];
  readonly firstSentAt: number;
}

export class Exporter {
  readonly #events: SpanEvents;
  readonly #collector: Collector;
  readonly #interval: number;
  readonly #start: string;
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #abort = new AbortController();

  #queue: string[] = [];
  /** With the collector, or to be sent to it again. */
  #batch: Batch | null = null;
  #state: 'ready' | 'sending' | 'pausing' = 'ready';
  /** Until the next batch is due, or until the pause is over. */
  #timer: unknown = null;
  /** In a row. */
  #failures = 0;
  #trouble: string | null = null;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor({ settings, version, instanceId, host, events, ...parts }: ExporterOptions) {
    this.#events = events;
    this.#interval = settings.interval;
    this.#start = requestStart({ serviceName: settings.serviceName, version, instanceId, host });
    this.#timers = parts.timers ?? nodeTimers;
    this.#now = parts.now ?? Date.now;
    this.#collector = new Collector(settings);
  }

  add(spans: readonly string[]): void {
    const closing = this.#closing !== null;
    const taken = closing ? [] : spans.slice(0, mostQueued - this.#queue.length);
    this.#queue.push(...taken);
    this.#drop(spans.length - taken.length, closing ? 'ended' : 'queue_full');
    this.#schedule();
  }

  /** Sends what is here, for at most a second and as long as the collector takes it; what is left is dropped. */
  async close(): Promise<void> {
    const closing = Promise.withResolvers<void>();
    this.#closing = closing;
    const giveUp = this.#timers.setTimeout(() => this.#end(), FAREWELL_MS);
    // A collector that is in trouble is not waited for.
    if (this.#state === 'pausing') this.#end();
    else this.#schedule();
    await closing.promise;
    this.#timers.clearTimeout(giveUp);
  }

  #schedule(): void {
    if (this.#state !== 'ready') return;
    if (this.#queue.length >= mostSent || (this.#closing !== null && this.#queue.length > 0)) this.#send();
    else if (this.#closing !== null) this.#end();
    else if (this.#queue.length > 0)
      this.#timer ??= this.#timers.setTimeout(() => this.#send(), this.#interval);
  }

  #send(): void {
    this.#stopTimer();
    this.#state = 'sending';
    this.#batch ??= { spans: this.#queue.splice(0, mostSent), firstSentAt: this.#now() };
    const batch = this.#batch;
    void this.#collector.post(exportRequest(this.#start, batch.spans), this.#abort.signal).then((answer) => {
      // Not if the end came first.
      if (this.#batch === batch) this.#onAnswer(answer, batch);
    });
  }

  #onAnswer(answer: CollectorAnswer, batch: Batch): void {
    this.#state = 'ready';
    switch (answer.kind) {
      case 'taken': {
        const rejected = Math.min(answer.rejected, batch.spans.length);
        this.#events.onExported(batch.spans.length - rejected);
        this.#drop(rejected, 'rejected');
        this.#tell(null);
        return this.#done();
      }
      case 'refused':
        this.#drop(batch.spans.length, 'refused');
        this.#tell(`${answer.status}`);
        return this.#done();
      case 'busy':
      case 'silent':
        this.#tell(answer.kind === 'busy' ? `${answer.status}` : answer.cause);
        return this.#onFailure(answer, batch);
      default:
        return answer satisfies never;
    }
  }

  /** With this batch. */
  #done(): void {
    this.#batch = null;
    this.#failures = 0;
    this.#schedule();
  }

  #onFailure(answer: FailedAnswer, { spans, firstSentAt }: Batch): void {
    if (this.#closing !== null) return this.#end();
    this.#failures++;
    const { wait, giveUp } = retry({
      answer,
      failures: this.#failures,
      firstSentAt,
      now: this.#now(),
      random: Math.random(),
    });
    if (giveUp) {
      this.#batch = null;
      this.#drop(spans.length, 'undelivered');
    }
    this.#state = 'pausing';
    this.#timer = this.#timers.setTimeout(() => this.#resume(), wait);
  }

  #resume(): void {
    this.#stopTimer();
    this.#state = 'ready';
    if (this.#batch !== null) this.#send();
    else this.#schedule();
  }

  #end(): void {
    this.#stopTimer();
    this.#drop(this.#queue.length + (this.#batch?.spans.length ?? 0), 'ended');
    this.#queue = [];
    this.#batch = null;
    this.#state = 'ready';
    this.#abort.abort();
    this.#collector.close();
    this.#closing?.resolve();
  }

  #stopTimer(): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #drop(spans: number, reason: DropReason): void {
    if (spans > 0) this.#events.onDropped(spans, reason);
  }

  #tell(trouble: string | null): void {
    if (trouble !== null && this.#trouble !== null) return;
    if (trouble !== this.#trouble) this.#events.onTrouble(trouble);
    this.#trouble = trouble;
  }
}
