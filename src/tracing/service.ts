/** Exports the finished spans of the relay threads with the current settings; drops them while tracing is off. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Exporter, type SpanEvents } from './exporter.ts';
import type { TracingSettings } from './settings.ts';
import type { SpanReport } from './span-batch.ts';

interface ServiceOptions {
  readonly version: string;
  readonly events: SpanEvents;
}

export class SpanService {
  readonly #options: ServiceOptions;
  readonly #instanceId = randomUUID();
  #settings: TracingSettings | null = null;
  #exporter: Exporter | null = null;
  /** Exporters of former settings that are still sending their queue. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** null: tracing is off. Unchanged settings keep the exporter and its queue. */
  update(settings: TracingSettings | null): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#closeExporter();
    if (settings !== null) {
      const { version, events } = this.#options;
      const instanceId = this.#instanceId;
      this.#exporter = new Exporter({ settings, version, instanceId, host: hostname(), events });
    }
  }

  add({ spans, dropped }: SpanReport): void {
    const { events } = this.#options;
    if (dropped > 0) events.onDropped(dropped, 'queue_full');
    // These spans began before tracing was switched off.
    if (this.#exporter === null) events.onDropped(spans.length, 'ended');
    else this.#exporter.add(spans);
  }

  /** Sends the queued spans; resolves after a second at most. */
  async close(): Promise<void> {
    this.#closeExporter();
    await Promise.all(this.#closing);
  }

  #closeExporter(): void {
    const closed = this.#exporter?.close();
    this.#exporter = null;
    if (closed === undefined) return;
    this.#closing.add(closed);
    void closed.then(() => this.#closing.delete(closed));
  }
}
