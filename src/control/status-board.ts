/** Keeps what the status document shows of the past, and makes the document when it is requested. */
import type { Status } from '../admin/status.ts';
import type { MeterDelta } from '../telemetry/meter.ts';
import { Refusals } from '../telemetry/refusals.ts';
import { TrafficHistory } from '../telemetry/traffic-history.ts';
import type { RecentChanges } from './recent-changes.ts';
import { type StatusFacts, statusOf } from './status-document.ts';

type Past = 'now' | 'history' | 'refusals' | 'changes' | 'startedAt';

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
    for (const { count, ...refusal } of delta.refusals) this.#refusals.add(refusal, count);
  }

  document(present: Omit<StatusFacts, Past>): Status {
    return statusOf({
      ...present,
      now: Date.now(),
      startedAt: this.#startedAt,
      history: this.#history,
      refusals: this.#refusals.all(),
      changes: this.#changes.list(),
    });
  }
}
