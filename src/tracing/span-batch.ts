/** Collects finished spans on a relay thread until they are taken to the control thread. */

/** As many as the queue behind it takes (tracing/exporter.ts). */
const MAX_SPANS = 2048;

/** What crosses the thread boundary. */
export interface SpanReport {
  readonly spans: readonly string[];
  /** How many had no room. */
  readonly dropped: number;
}

export class SpanBatch {
  #spans: string[] = [];
  #dropped = 0;

  add(span: string): void {
    if (this.#spans.length < MAX_SPANS) this.#spans.push(span);
    else this.#dropped++;
  }

  /** null: nothing. */
  take(): SpanReport | null {
    if (this.#spans.length === 0) return null;
    const report = { spans: this.#spans, dropped: this.#dropped };
    this.#spans = [];
    this.#dropped = 0;
    return report;
  }
}
