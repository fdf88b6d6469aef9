/** Keeps what the status document shows of the past, and makes the document when it is requested. */
import type { Status } from '../admin/status-schema.ts';
import type { AuditWriter } from '../audit/writer.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { MeterDelta } from '../telemetry/meter.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Refusals } from '../telemetry/refused-handshakes.ts';
import { TrafficHistory } from '../telemetry/traffic-history.ts';
import type { RecentChanges } from './recent-changes.ts';
import type { Sources } from './sources.ts';
import { type StatusFacts, statusOf } from './status-document.ts';

/** Where the document gets the present state from. */
export interface StatusParts extends Pick<StatusFacts, 'gateway'> {
  readonly loaded: LoadedConfig;
  readonly audit: AuditWriter;
  readonly metrics: Metrics;
  /** null: not opened yet. */
  readonly sources: Sources | null;
  /** The numbers of the relay threads. */
  readonly threads: readonly number[];
}

export class StatusBoard {
  readonly #startedAt = Date.now();
  readonly #history = new TrafficHistory();
  readonly #refusals = new Refusals();
  readonly #changes: RecentChanges;

  constructor(changes: RecentChanges) {
    this.#changes = changes;
  }

  /** The delta of one relay thread. */
  merge(delta: MeterDelta): void {
    this.#history.merge(delta);
    // The oldest first: the last one added is the newest.
    for (const { count, ...refusal } of delta.refusals.toReversed()) this.#refusals.add(refusal, count);
  }

  document({ gateway, loaded, audit, metrics, sources, threads }: StatusParts): Status {
    const { config, serverCertificates } = loaded;
    const { lost, queuedBytes, failingSince, counts } = audit;
    const { lastSealAt, lastSealSeq } = counts;
    return statusOf({
      ...{ gateway, config, serverCertificates },
      now: Date.now(),
      startedAt: this.#startedAt,
      history: this.#history,
      refusals: this.#refusals.all(),
      changes: this.#changes.list(),
      clients: metrics.clients(),
      anchors: sources?.anchorSources() ?? [],
      keySets: sources?.keySets() ?? [],
      revocationSources: sources?.revocationSources() ?? [],
      endpoints: metrics.endpoints(),
      threads: threads.map((thread) => ({ thread, gauges: metrics.thread(thread) })),
      audit: {
        ...{ destination: config.audit.destination, lost, queuedBytes, failingSince },
        ...{ lastSealAt, lastSealSeq },
      },
    });
  }
}
