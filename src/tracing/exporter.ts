/** Exports spans to one collector in batches, from a bounded queue, as OpenTelemetry's batch span processor does. Never blocks. */
import { nodeTimers, type Timers } from '../fetch/pause.ts';
import { Collector, type CollectorResult } from './collector.ts';
import { exportRequest, requestStart } from './otlp-json.ts';
import { type FailedExport, retry } from './retry.ts';
import type { TracingSettings } from './settings.ts';

/** The defaults of OTEL_BSP_MAX_QUEUE_SIZE and OTEL_BSP_MAX_EXPORT_BATCH_SIZE. */
const MAX_QUEUED = 2048;
const MAX_BATCH = 512;
/** Time limit for sending the queued spans in `close`, ms. */
const CLOSE_TIMEOUT_MS = 1000;

export type DropReason =
  /** The queue was full. */
  | 'queue_full'
  /** The collector accepted the batch without these spans. */
  | 'rejected'
  /** The collector responded with a status that is not retryable. */
  | 'refused'
  /** No response, or only retryable ones, for a minute. */
  | 'undelivered'
  /** The gateway stopped, or the settings changed, before they were sent. */
  | 'ended';

export interface SpanEvents {
  onExported(spans: number): void;
  onDropped(spans: number, reason: DropReason): void;
  /** Called once when exports begin to fail, with the status or error code, and once with null when they succeed again. */
  onCollectorFailure(cause: string | null): void;
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
  /** The batch that is being sent, or will be sent again. */
  #batch: Batch | null = null;
  #state: 'ready' | 'sending' | 'pausing' = 'ready';
  /** Fires when the next batch is due, or the pause ends. */
  #timer: unknown = null;
  /** Consecutive failed attempts. */
  #failures = 0;
  #failure: string | null = null;
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
    const taken = closing ? [] : spans.slice(0, MAX_QUEUED - this.#queue.length);
    this.#queue.push(...taken);
    this.#drop(spans.length - taken.length, closing ? 'ended' : 'queue_full');
    this.#schedule();
  }

  /** Sends the queued spans for at most one second, or until an export fails; drops the rest. */
  async close(): Promise<void> {
    const closing = Promise.withResolvers<void>();
    this.#closing = closing;
    const giveUp = this.#timers.setTimeout(() => this.#end(), CLOSE_TIMEOUT_MS);
    // Do not wait for a collector that is failing.
    if (this.#state === 'pausing') this.#end();
    else this.#schedule();
    await closing.promise;
    this.#timers.clearTimeout(giveUp);
  }

  #schedule(): void {
    if (this.#state !== 'ready') return;
    if (this.#queue.length >= MAX_BATCH || (this.#closing !== null && this.#queue.length > 0)) this.#send();
    else if (this.#closing !== null) this.#end();
    else if (this.#queue.length > 0)
      this.#timer ??= this.#timers.setTimeout(() => this.#send(), this.#interval);
  }

  #send(): void {
    this.#stopTimer();
    this.#state = 'sending';
    this.#batch ??= { spans: this.#queue.splice(0, MAX_BATCH), firstSentAt: this.#now() };
    const batch = this.#batch;
    void this.#collector.post(exportRequest(this.#start, batch.spans), this.#abort.signal).then((result) => {
      // Ignore the result if the exporter was closed before it.
      if (this.#batch === batch) this.#onResult(result, batch);
    });
  }

  #onResult(result: CollectorResult, batch: Batch): void {
    this.#state = 'ready';
    switch (result.kind) {
      case 'accepted': {
        const rejected = Math.min(result.rejected, batch.spans.length);
        this.#events.onExported(batch.spans.length - rejected);
        this.#drop(rejected, 'rejected');
        this.#report(null);
        return this.#done();
      }
      case 'refused':
        this.#drop(batch.spans.length, 'refused');
        this.#report(`${result.status}`);
        return this.#done();
      case 'retryable':
      case 'no_response':
        this.#report(result.kind === 'retryable' ? `${result.status}` : result.cause);
        return this.#onFailure(result, batch);
      default:
        return result satisfies never;
    }
  }

  /** The batch needs no further attempt. */
  #done(): void {
    this.#batch = null;
    this.#failures = 0;
    this.#schedule();
  }

  #onFailure(result: FailedExport, { spans, firstSentAt }: Batch): void {
    if (this.#closing !== null) return this.#end();
    this.#failures++;
    const { wait, giveUp } = retry({
      result,
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

  #report(failure: string | null): void {
    if (failure !== null && this.#failure !== null) return;
    if (failure !== this.#failure) this.#events.onCollectorFailure(failure);
    this.#failure = failure;
  }
}
