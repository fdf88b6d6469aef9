/** The metrics of the gateway, in the control thread: merges the deltas of the relay threads and serves all metrics. */

import { budgetBounds, Counts, secondsBounds } from './bucket-counts.ts';
import { type ClientLeaf, ClientLeaves } from './client-leaves.ts';
import { EndpointMetrics } from './endpoint-metrics.ts';
import type { EndpointReport, EndpointState } from './endpoint-report.ts';
import type { CountedName, Gauges, MeterDelta } from './meter.ts';
import { type Counter, describeMetric, MetricRegistry } from './registry.ts';
import { noRoute, type RouteDelta } from './route-meter.ts';
import { type MetricsOptions, registerStateGauges } from './state-gauges.ts';
import { ThreadTotals } from './thread-totals.ts';

export type { MetricsOptions };

/** How many issuers of clients are reported; the least recently seen are dropped first. */
const maxIssuers = 100;

export class Metrics {
  readonly #registry = new MetricRegistry();
  readonly #threads = new ThreadTotals();
  readonly #endpoints = new EndpointMetrics(this.#registry);
  readonly #clientLeaves = new ClientLeaves();
  readonly #now: () => number;
  readonly #handshakes = this.#registry.counter('ehi_handshakes_total');
  readonly #handshakeSeconds = this.#registry.histogram('ehi_handshake_seconds');
  readonly #messages = this.#registry.counter('ehi_messages_total');
  readonly #messageSeconds = this.#registry.histogram('ehi_message_seconds');
  readonly #upstreamSeconds = this.#registry.histogram('ehi_upstream_seconds');
  readonly #overheadSeconds = this.#registry.histogram('ehi_overhead_seconds');
  readonly #budgetRatio = this.#registry.histogram('ehi_message_budget_ratio', budgetBounds);
  readonly #late = this.#registry.counter('ehi_messages_late_total');
  readonly #shed = this.#registry.counter('ehi_messages_shed_total');
  readonly #bearerVerdicts = this.#registry.counter('ehi_bearer_verdicts_total');
  readonly #signatureVerdicts = this.#registry.counter('ehi_signature_verdicts_total');
  readonly #untyped = this.#registry.counter('ehi_upstream_answers_without_content_type_total');
  readonly #counted: Readonly<Record<CountedName, Counter>> = {
    ehi_permits_withdrawn_total: this.#registry.counter('ehi_permits_withdrawn_total'),
    ehi_connections_closed_total: this.#registry.counter('ehi_connections_closed_total'),
    ehi_tls_errors_total: this.#registry.counter('ehi_tls_errors_total'),
    ehi_revocation_checks_total: this.#registry.counter('ehi_revocation_checks_total'),
    ehi_shadow_handshakes_total: this.#registry.counter('ehi_shadow_handshakes_total'),
    ehi_shadow_denials_total: this.#registry.counter('ehi_shadow_denials_total'),
  };
  readonly #lastHandshakes = new Map<string, number>();
  readonly #addressesSkipped = this.#registry.counter('ehi_revocation_addresses_skipped_total');
  readonly #crlRestarts: Counter;
  readonly #keySetFailures: Counter;
  readonly #unknownKids: Counter;
  #lastReload: { readonly successful: boolean; readonly successAt: number };
  readonly #spansExported = this.#registry.counter('ehi_spans_exported_total');
  readonly #spansDropped = this.#registry.counter('ehi_spans_dropped_total');
  readonly #introspections = this.#registry.counter('ehi_introspection_requests_total');
  readonly #introspectionSeconds = this.#registry.histogram('ehi_introspection_seconds');
  readonly #restarts = this.#registry.counter('ehi_relay_thread_restarts_total');

  constructor(options: MetricsOptions) {
    this.#now = options.now;
    this.#lastReload = { successful: true, successAt: options.now() };
    this.#registerThreadGauges();
    registerStateGauges(this.#registry, options, () => this.#clientLeaves.current(options.now()));
    // Present as 0 before the first restart: Prometheus sees no increase in a series that begins at 1.
    this.#crlRestarts = this.#registry.counter('ehi_revocation_crl_restarts_total', (counter) => {
      for (const { name } of options.anchors()) counter.inc({ anchor: name }, 0);
    });
    const ofKeySets = (counter: Counter) => {
      for (const { source } of options.keySets()) counter.inc({ source }, 0);
    };
    this.#keySetFailures = this.#registry.counter('ehi_key_set_fetch_failures_total', ofKeySets);
    this.#unknownKids = this.#registry.counter('ehi_key_set_unknown_kid_total', ofKeySets);
    this.#registry.gauge('ehi_config_last_reload_successful', (gauge) =>
      gauge.set(this.#lastReload.successful ? 1 : 0),
    );
    this.#registry.gauge('ehi_config_last_reload_success_timestamp_seconds', (gauge) =>
      gauge.set(this.#lastReload.successAt / 1000),
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds the delta of one relay thread. */
  merge(threadId: number, delta: MeterDelta): void {
    this.#threads.merge(threadId, delta, delta.routes);
    for (const [verdict, reason, count] of delta.handshakes) this.#handshakes.inc({ verdict, reason }, count);
    this.#handshakeSeconds.add({}, delta.handshakeSeconds);
    for (const route of delta.routes) this.#mergeRoute(route);
    for (const [name, labels, count] of delta.counts) {
      const { labelNames } = describeMetric(name);
      this.#counted[name].inc(
        Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ''])),
        count,
      );
    }
    for (const [labels, timeMs] of delta.lastHandshakes) {
      keepRecent(this.#lastHandshakes, JSON.stringify(labels), timeMs);
    }
    this.#endpoints.merge(threadId, delta.endpoints);
    for (const leaf of delta.clientCertificates) this.#clientLeaves.add(leaf, this.#now());
  }

  /** A relay thread ended: its gauges are dropped, its counts stay. */
  threadGone(threadId: number): void {
    this.#threads.threadGone(threadId);
    this.#endpoints.threadGone(threadId);
  }

  /** A relay thread that died was replaced. */
  threadRestarted(): void {
    this.#restarts.inc();
  }

  /** A changed configuration was accepted or refused; `now`: milliseconds since the epoch. */
  reloaded(successful: boolean, now: number): void {
    this.#lastReload = { successful, successAt: successful ? now : this.#lastReload.successAt };
  }

  /** A certificate of this anchor names a revocation address that the gateway does not use. */
  addressSkipped(anchor: string): void {
    this.#addressesSkipped.inc({ anchor });
  }

  /** A CRL of this anchor was accepted that does not follow the previous one. */
  crlRestarted(anchor: string): void {
    this.#crlRestarts.inc({ anchor });
  }

  /** `result`: one of introspection/service.ts. `seconds`: until it was known. */
  introspected(result: string, seconds: number): void {
    this.#introspections.inc({ result });
    const observed = new Counts(secondsBounds);
    observed.observe(seconds);
    this.#introspectionSeconds.add({}, observed.take());
  }

  /** A key set could not be fetched, or was refused. */
  keySetFailed(source: string): void {
    this.#keySetFailures.inc({ source });
  }

  /** A signature names a `kid` that no key of the set has. */
  unknownKid(source: string): void {
    this.#unknownKids.inc({ source });
  }

  spansExported(spans: number): void {
    this.#spansExported.inc(spans);
  }

  /** `reason`: one of tracing/exporter.ts. */
  spansDropped(spans: number, reason: string): void {
    this.#spansDropped.inc({ reason }, spans);
  }

  /** The state of every upstream endpoint, as `/upstreams` reports it. */
  upstreams(): EndpointReport[] {
    return this.#endpoints.reports();
  }

  /** The same for the status document. */
  endpoints(): EndpointState[] {
    return this.#endpoints.states();
  }

  /** The last gauges of a relay thread; undefined: all are 0. */
  thread(threadId: number): Gauges | undefined {
    return this.#threads.of(threadId);
  }

  /** The certificates of authorized clients, with when each was last seen (ms since the epoch). */
  clients(): (ClientLeaf & { readonly seenAt: number })[] {
    return this.#clientLeaves.current(this.#now());
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.text();
  }

  #mergeRoute(delta: RouteDelta): void {
    const { route, codes, total, upstream, overhead, budget, late, untyped, shed, bearer, signature } = delta;
    for (const [code, count] of codes) this.#messages.inc({ route, code }, count);
    this.#messageSeconds.add({ route }, total);
    this.#upstreamSeconds.add({ route }, upstream);
    this.#overheadSeconds.add({ route }, overhead);
    for (const [reason, count] of Object.entries(shed)) {
      if (count > 0) this.#shed.inc({ route, reason }, count);
    }
    for (const [mode, verdict, count] of bearer) this.#bearerVerdicts.inc({ route, verdict, mode }, count);
    for (const [mode, verdict, count] of signature)
      this.#signatureVerdicts.inc({ route, verdict, mode }, count);
    // Requests without a route have no budget and no response of a host.
    if (route === noRoute) return;
    this.#budgetRatio.add({ route }, budget);
    this.#late.inc({ route }, late);
    this.#untyped.inc({ route }, untyped);
  }

  #registerThreadGauges(): void {
    const registry = this.#registry;
    const threads = this.#threads;
    registry.gauge('ehi_in_flight', (gauge) => gauge.set(threads.sum('inFlight')));
    registry.gauge('ehi_route_in_flight', (gauge) => {
      for (const [route, inFlight] of threads.routes()) gauge.set({ route }, inFlight);
    });
    registry.gauge('ehi_connections', (gauge) => gauge.set(threads.sum('connections')));
    registry.gauge('ehi_unfinished_handshakes', (gauge) => gauge.set(threads.sum('unfinishedHandshakes')));
    registry.gauge('ehi_relay_loop_delay_seconds', (gauge) => gauge.set(threads.delay() / 1000));
    registry.gauge('ehi_revocation_soft_failing', (gauge) => gauge.set(threads.sum('softFailing')));
    registry.gauge('ehi_client_last_handshake_timestamp_seconds', (gauge) => {
      for (const [key, time] of this.#lastHandshakes) {
        const [anchor = '', issuer = '', issuer_sha256 = ''] = JSON.parse(key) as string[];
        gauge.set({ anchor, issuer, issuer_sha256 }, time / 1000);
      }
    });
  }
}

/** Sets `key` as the most recent entry, and removes the least recent one beyond `maxIssuers`. */
function keepRecent(seen: Map<string, number>, key: string, value: number): void {
  seen.delete(key);
  seen.set(key, value);
  if (seen.size <= maxIssuers) return;
  for (const oldest of seen.keys()) {
    seen.delete(oldest);
    return;
  }
}
