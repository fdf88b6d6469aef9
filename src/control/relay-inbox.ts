/** Receives what the relay threads send: audit lines, counts, spans, log lines, questions. */
import { isWorthGivingBack } from '../audit/batch.ts';
import type { AuditWriter } from '../audit/writer.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RelayReport, Supervisor } from '../thread/supervisor.ts';
import type { SpanService } from '../tracing/service.ts';
import type { Reporting } from './event-reports.ts';
import type { Sources } from './sources.ts';
import type { StatusBoard } from './status-board.ts';

interface RelayInboxOptions {
  readonly sources: Sources;
  readonly supervisor: () => Supervisor;
  readonly reporting: Reporting;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  readonly board: StatusBoard;
  readonly spans: SpanService;
  /** Publishes the snapshot that is due, now. */
  readonly publishPending: () => void;
}

export class RelayInbox {
  readonly #options: RelayInboxOptions;

  constructor(options: RelayInboxOptions) {
    this.#options = options;
  }

  /** `thread`: the number of the thread that sent the message. */
  receive(thread: number, message: RelayReport): void {
    const { reporting, metrics, board, spans } = this.#options;
    switch (message.type) {
      case 'log':
        return reporting.relayLine({ ...message, fields: { thread, ...message.fields } });
      case 'unseen':
        return void this.#contact(message);
      case 'question':
        return void this.#answer(thread, message);
      case 'report':
        if (message.audit !== null) this.#write(thread, message.audit);
        if (message.meter !== null) {
          metrics.merge(thread, message.meter);
          board.merge(message.meter);
        }
        if (message.spans !== null) spans.add(message.spans);
        return;
      default:
        return message satisfies never;
    }
  }

  #write(thread: number, lines: Uint8Array<ArrayBuffer>): void {
    const { audit, supervisor } = this.#options;
    const giveBack = () => supervisor().auditWritten(thread, lines);
    audit.write(lines, isWorthGivingBack(lines) ? giveBack : undefined);
  }

  /** Publishes the snapshot that contains the revocation result before it reports the result to the relay threads. */
  async #contact({ anchor, leaf }: Extract<RelayReport, { type: 'unseen' }>): Promise<void> {
    const { sources, supervisor, publishPending } = this.#options;
    const sha256 = await sources.contact(anchor, leaf);
    publishPending();
    supervisor().firstContactDone({ anchor, leaf: sha256 });
  }

  /** Publishes what the answer depends on before the answer. */
  async #answer(thread: number, { id, question }: Extract<RelayReport, { type: 'question' }>): Promise<void> {
    const { sources, supervisor, publishPending } = this.#options;
    const answer = await sources.answer(question);
    publishPending();
    supervisor().answer(thread, id, answer);
  }
}
