/** Collects finished spans in a relay thread until they are sent to the control thread. */

/** The capacity of the exporter's queue (exporter.ts). */
const MAX_SPANS = 2048;

/** The spans of one report to the control thread. */
export interface SpanReport {
  readonly spans: readonly string[];
  /** Number of spans that were dropped because the batch was full. */
  readonly dropped: number;
}

export class SpanBatch {
  #spans: string[] = [];
  #dropped = 0;

  add(span: string): void {
    if (this.#spans.length < MAX_SPANS) this.#spans.push(span);
    else this.#dropped++;
  }

  /** The spans since the last call; null: none. */
  take(): SpanReport | null {
    if (this.#spans.length === 0) return null;
    const report = { spans: this.#spans, dropped: this.#dropped };
    this.#spans = [];
    this.#dropped = 0;
    return report;
  }
}
