/** The metrics of upstream endpoints, merged from the deltas of the relay threads. */

import type { EndpointDelta } from './endpoint-meter.ts';
import {
  describeEndpoint,
  describeState,
  type EndpointReport,
  type EndpointState,
} from './endpoint-report.ts';
import { EndpointTotals } from './endpoint-totals.ts';
import type { Counter, MetricRegistry } from './registry.ts';

export class EndpointMetrics {
  readonly #totals = new EndpointTotals();
  readonly #connects: Counter;
  readonly #messageFailures: Counter;
  readonly #checks: Counter;
  readonly #ejections: Counter;

  constructor(registry: MetricRegistry) {
    this.#connects = registry.counter('ehi_upstream_connects_total');
    this.#messageFailures = registry.counter('ehi_upstream_message_failures_total');
    this.#checks = registry.counter('ehi_upstream_checks_total');
    this.#ejections = registry.counter('ehi_upstream_ejections_total');
    registry.gauge('ehi_upstream_up', (gauge) => {
      for (const { endpoint, pools, ejected } of this.#totals.totals())
        gauge.set({ endpoint }, (pools - ejected) / pools);
    });
    registry.gauge('ehi_upstream_connections', (gauge) => {
      for (const { endpoint, idle, inUse } of this.#totals.totals()) {
        gauge.set({ endpoint, state: 'idle' }, idle);
        gauge.set({ endpoint, state: 'in_use' }, inUse);
      }
    });
    registry.gauge('ehi_upstream_idle_limit_seconds', (gauge) => {
      for (const { endpoint, idleLimit } of this.#totals.totals()) gauge.set({ endpoint }, idleLimit / 1000);
    });
  }

  merge(threadId: number, deltas: readonly EndpointDelta[]): void {
    for (const { endpoint, connects, checks, messageFailures, ejections } of deltas) {
      for (const [result, count] of Object.entries(connects)) this.#connects.inc({ endpoint, result }, count);
      for (const [result, count] of Object.entries(checks)) {
        if (count > 0) this.#checks.inc({ endpoint, result }, count);
      }
      for (const [reason, count] of messageFailures) this.#messageFailures.inc({ endpoint, reason }, count);
      this.#ejections.inc({ endpoint }, ejections);
    }
    this.#totals.merge(threadId, deltas);
  }

  threadGone(threadId: number): void {
    this.#totals.threadGone(threadId);
  }

  reports(): EndpointReport[] {
    return this.#totals.totals().map(describeEndpoint);
  }

  states(): EndpointState[] {
    return this.#totals.totals().map(describeState);
  }
}
