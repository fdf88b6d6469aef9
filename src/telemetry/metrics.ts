/** The one metrics registry, in the control thread: merges what the relay threads counted and prints it for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { ClientLeaves } from './client-leaves.ts';
import { budgetBounds, secondsBounds } from './counts.ts';
import { EndpointGauges } from './endpoint-gauges.ts';
import { describeEndpoint, type EndpointReport } from './endpoint-report.ts';
import { MergedHistogram } from './histogram.ts';
import { type CountedName, keepRecent, type MeterDelta } from './meter.ts';
import { type MetricName, metricTable } from './metric-table.ts';
import { type RevocationSourceFacts, revocationSeries } from './revocation-series.ts';
import { noRoute } from './route-meter.ts';
import { ThreadGauges } from './thread-gauges.ts';

export interface MetricsOptions {
  /** The gateway's version. */
  readonly version: string;
  /** How the audit writer stands. */
  readonly audit: AuditFacts;
  /** Lines of the log that stderr did not take, since the start. */
  readonly logLinesDropped: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The certificates of the server's chains, as they are in use at a scrape. */
  readonly serverCertificates: () => readonly Expiring[];
  /** The trust anchors, likewise. */
  readonly anchors: () => readonly AnchorFacts[];
  /** The CRLs and OCSP answers, likewise. */
  readonly revocationSources: () => readonly RevocationSourceFacts[];
}

interface AuditFacts {
  /** Records, since the start. */
  readonly lost: number;
  readonly queuedBytes: number;
  /** Milliseconds since the epoch; null: records are written. */
  readonly failingSince: number | null;
}

interface Expiring {
  readonly subject: string;
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

interface AnchorFacts {
  readonly name: string;
  /** Milliseconds since the epoch: when the anchor's source last confirmed it. */
  readonly fetchedAt: number;
  readonly pinned: boolean;
  /** What of it is not used. */
  readonly passedOver: readonly { readonly reason: string }[];
  readonly certificates: readonly Expiring[];
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #threads = new ThreadGauges();
  readonly #endpoints = new EndpointGauges();
  readonly #clientLeaves = new ClientLeaves();
  readonly #now: () => number;
  readonly #handshakes = this.#counter('ehi_handshakes_total');
  readonly #handshakeSeconds = this.#histogram('ehi_handshake_seconds');
  readonly #messages = this.#counter('ehi_messages_total');
  readonly #messageSeconds = this.#histogram('ehi_message_seconds');
  readonly #upstreamSeconds = this.#histogram('ehi_upstream_seconds');
  readonly #overheadSeconds = this.#histogram('ehi_overhead_seconds');
  readonly #budgetRatio = this.#histogram('ehi_message_budget_ratio', budgetBounds);
  readonly #late = this.#counter('ehi_messages_late_total');
  readonly #shed = this.#counter('ehi_messages_shed_total');
  readonly #untyped = this.#counter('ehi_upstream_answers_without_content_type_total');
  readonly #counted: Readonly<Record<CountedName, Counter>> = {
    ehi_permits_withdrawn_total: this.#counter('ehi_permits_withdrawn_total'),
    ehi_connections_closed_total: this.#counter('ehi_connections_closed_total'),
    ehi_tls_errors_total: this.#counter('ehi_tls_errors_total'),
    ehi_revocation_checks_total: this.#counter('ehi_revocation_checks_total'),
    ehi_shadow_handshakes_total: this.#counter('ehi_shadow_handshakes_total'),
    ehi_shadow_denials_total: this.#counter('ehi_shadow_denials_total'),
  };
  readonly #lastHandshakes = new Map<string, number>();
  readonly #addressesSkipped = this.#counter('ehi_revocation_addresses_skipped_total');
  readonly #crlRestarts: Counter;
  #lastReload: { readonly successful: boolean; readonly successAt: number };
  readonly #upstreamConnects = this.#counter('ehi_upstream_connects_total');
  readonly #upstreamMessageFailures = this.#counter('ehi_upstream_message_failures_total');
  readonly #upstreamChecks = this.#counter('ehi_upstream_checks_total');
  readonly #upstreamEjections = this.#counter('ehi_upstream_ejections_total');
  readonly #spansExported = this.#counter('ehi_spans_exported_total');
  readonly #spansDropped = this.#counter('ehi_spans_dropped_total');
  readonly #restarts = this.#counter('ehi_relay_thread_restarts_total');

  constructor(options: MetricsOptions) {
    this.#now = options.now;
    const threads = this.#threads;
    this.#gauge('ehi_in_flight', (gauge) => gauge.set(threads.sum('inFlight')));
    this.#gauge('ehi_route_in_flight', (gauge) => {
      for (const [route, inFlight] of threads.routes()) gauge.set({ route }, inFlight);
    });
    this.#gauge('ehi_connections', (gauge) => gauge.set(threads.sum('connections')));
    this.#gauge('ehi_unfinished_handshakes', (gauge) => gauge.set(threads.sum('unfinishedHandshakes')));
    this.#gauge('ehi_relay_loop_delay_seconds', (gauge) => gauge.set(threads.delay() / 1000));
    this.#gauge('ehi_revocation_soft_failing', (gauge) => gauge.set(threads.sum('softFailing')));
    this.#gauge('ehi_client_last_handshake_timestamp_seconds', (gauge) => {
      for (const [key, time] of this.#lastHandshakes) {
        const [anchor = '', issuer = '', issuer_sha256 = ''] = JSON.parse(key) as string[];
        gauge.set({ anchor, issuer, issuer_sha256 }, time / 1000);
      }
    });
    this.#gauge('ehi_upstream_up', (gauge) => {
      for (const { endpoint, pools, ejected } of this.#endpoints.standing()) {
        gauge.set({ endpoint }, (pools - ejected) / pools);
      }
    });
    this.#gauge('ehi_upstream_connections', (gauge) => {
      for (const { endpoint, idle, inUse } of this.#endpoints.standing()) {
        gauge.set({ endpoint, state: 'idle' }, idle);
        gauge.set({ endpoint, state: 'in_use' }, inUse);
      }
    });
    this.#gauge('ehi_upstream_idle_limit_seconds', (gauge) => {
      for (const { endpoint, idleLimit } of this.#endpoints.standing())
        gauge.set({ endpoint }, idleLimit / 1000);
    });
    this.#gauge('ehi_certificate_not_after_timestamp_seconds', (gauge) => {
      const set = (role: string, certificates: readonly Expiring[]): void => {
        for (const { subject: name, serial, notAfter } of certificates)
          gauge.set({ role, name, serial }, notAfter / 1000);
      };
      set('server', options.serverCertificates());
      for (const { certificates } of options.anchors()) set('anchor', certificates);
      set('client', this.#clientLeaves.current(options.now()));
    });
    this.#gauge('ehi_trust_age_seconds', (gauge) => {
      for (const { name, fetchedAt } of options.anchors()) {
        gauge.set({ anchor: name }, (options.now() - fetchedAt) / 1000);
      }
    });
    this.#gauge('ehi_trust_root_pinned', (gauge) => {
      for (const { name, pinned } of options.anchors()) gauge.set({ anchor: name }, pinned ? 1 : 0);
    });
    this.#gauge('ehi_trust_certificates_passed_over', (gauge) => {
      for (const { name, passedOver } of options.anchors()) {
        for (const reason of ['expired', 'not_yet_valid', 'unusable', 'unreadable']) {
          const count = passedOver.filter((each) => each.reason === reason).length;
          gauge.set({ anchor: name, reason }, count);
        }
      }
    });
    this.#revocationGauges(options);
    // Shown as 0 before the first one: an increase from nothing is none.
    this.#crlRestarts = this.#counter('ehi_revocation_crl_restarts_total', (counter) => {
      for (const { name } of options.anchors()) counter.inc({ anchor: name }, 0);
    });
    const startedAt = options.now();
    this.#lastReload = { successful: true, successAt: startedAt };
    this.#gauge('ehi_config_last_reload_successful', (gauge) =>
      gauge.set(this.#lastReload.successful ? 1 : 0),
    );
    this.#gauge('ehi_config_last_reload_success_timestamp_seconds', (gauge) =>
      gauge.set(this.#lastReload.successAt / 1000),
    );
    this.#gauge('ehi_build_info', (gauge) =>
      gauge.set({ version: options.version, node: process.versions.node }, 1),
    );
    this.#total('ehi_audit_records_lost_total', () => options.audit.lost);
    this.#gauge('ehi_audit_queue_bytes', (gauge) => gauge.set(options.audit.queuedBytes));
    this.#gauge('ehi_audit_failing_since_timestamp_seconds', (gauge) =>
      gauge.set((options.audit.failingSince ?? 0) / 1000),
    );
    this.#total('ehi_log_lines_dropped_total', options.logLinesDropped);
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what one relay thread counted since its last batch. */
  merge(threadId: number, delta: MeterDelta): void {
    this.#threads.merge(threadId, delta, delta.routes);
    for (const [verdict, reason, count] of delta.handshakes) this.#handshakes.inc({ verdict, reason }, count);
    this.#handshakeSeconds.add({}, delta.handshakeSeconds);
    for (const { route, codes, total, upstream, overhead, budget, late, untyped, shed } of delta.routes) {
      for (const [code, count] of codes) this.#messages.inc({ route, code }, count);
      this.#messageSeconds.add({ route }, total);
      this.#upstreamSeconds.add({ route }, upstream);
      this.#overheadSeconds.add({ route }, overhead);
      for (const [reason, count] of Object.entries(shed)) {
        if (count > 0) this.#shed.inc({ route, reason }, count);
      }
      // Requests that reached no route have no budget and no answer of a host.
      if (route === noRoute) continue;
      this.#budgetRatio.add({ route }, budget);
      this.#late.inc({ route }, late);
      this.#untyped.inc({ route }, untyped);
    }
    for (const [name, labels, count] of delta.counts) {
      const { labelNames } = describe(name);
      this.#counted[name].inc(
        Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ''])),
        count,
      );
    }
    for (const [labels, timeMs] of delta.lastHandshakes) {
      keepRecent(this.#lastHandshakes, JSON.stringify(labels), timeMs);
    }
    for (const { endpoint, connects, checks, messageFailures, ejections } of delta.endpoints) {
      for (const [result, count] of Object.entries(connects)) {
        this.#upstreamConnects.inc({ endpoint, result }, count);
      }
      for (const [result, count] of Object.entries(checks)) {
        if (count > 0) this.#upstreamChecks.inc({ endpoint, result }, count);
      }
      for (const [reason, count] of messageFailures) {
        this.#upstreamMessageFailures.inc({ endpoint, reason }, count);
      }
      this.#upstreamEjections.inc({ endpoint }, ejections);
    }
    this.#endpoints.merge(threadId, delta.endpoints);
    for (const leaf of delta.clientCertificates) this.#clientLeaves.see(leaf, this.#now());
  }

  /** A relay thread ended: its connections are gone with it, what it counted stays. */
  threadGone(threadId: number): void {
    this.#threads.threadGone(threadId);
    this.#endpoints.threadGone(threadId);
  }

  /** A relay thread that died was replaced. */
  threadRestarted(): void {
    this.#restarts.inc();
  }

  /** A changed configuration was taken, or refused; `now`: milliseconds since the epoch. */
  reloaded(successful: boolean, now: number): void {
    this.#lastReload = { successful, successAt: successful ? now : this.#lastReload.successAt };
  }

  /** A certificate of this anchor names an address that is not followed. */
  addressSkipped(anchor: string): void {
    this.#addressesSkipped.inc({ anchor });
  }

  /** A CRL of this anchor was taken that could not have followed the last one. */
  crlRestarted(anchor: string): void {
    this.#crlRestarts.inc({ anchor });
  }

  spansExported(spans: number): void {
    this.#spansExported.inc(spans);
  }

  /** `reason`: a closed word of the gateway's own. */
  spansDropped(spans: number, reason: string): void {
    this.#spansDropped.inc({ reason }, spans);
  }

  /** The upstream endpoints as they stand. */
  upstreams(): EndpointReport[] {
    return this.#endpoints.standing().map(describeEndpoint);
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #revocationGauges({ revocationSources, now }: MetricsOptions): void {
    const show = (name: MetricName, options: Parameters<typeof revocationSeries>[1]) =>
      this.#gauge(name, (gauge) => {
        const wanted = new Set<string>(describe(name).labelNames);
        for (const { labels, value } of revocationSeries(revocationSources(), options))
          gauge.set(Object.fromEntries(Object.entries(labels).filter(([label]) => wanted.has(label))), value);
      });
    show('ehi_revocation_age_seconds', {
      value: ({ fetchedAt }) => fetchedAt && (now() - fetchedAt) / 1000,
      worse: Math.max,
    });
    show('ehi_revocation_next_update_timestamp_seconds', {
      value: ({ nextUpdate }) => nextUpdate && nextUpdate / 1000,
      worse: Math.min,
    });
    show('ehi_revocation_failures', { value: ({ failures }) => failures, worse: Math.max });
    show('ehi_revocation_entries', { value: ({ entries }) => entries, worse: Math.max });
    show('ehi_revocation_unclear_entries', { value: ({ unclear }) => unclear, worse: Math.max });
  }

  /** A counter that somebody else keeps. */
  #total(name: MetricName, value: () => number): void {
    this.#counter(name, (counter) => {
      counter.reset();
      counter.inc(value());
    });
  }

  #counter(name: MetricName, collect?: (counter: Counter) => void): Counter {
    const registers = [this.#registry];
    return new Counter({ ...describe(name), registers, ...(collect && { collect: onScrape(collect) }) });
  }

  /** Emptied and set anew on every scrape, so that nothing stays behind that is gone. */
  #gauge(name: MetricName, collect: (gauge: Gauge) => void): void {
    const set = (gauge: Gauge): void => {
      gauge.reset();
      collect(gauge);
    };
    new Gauge({ ...describe(name), registers: [this.#registry], collect: onScrape(set) });
  }

  #histogram(name: MetricName, bounds: readonly number[] = secondsBounds): MergedHistogram {
    const histogram = new MergedHistogram({ ...describe(name), bounds });
    this.#registry.registerMetric(histogram as unknown as Metric);
    return histogram;
  }
}

/** prom-client calls `collect` with the metric as `this`. */
function onScrape<M>(collect: (metric: M) => void): (this: M) => void {
  return function (this: M): void {
    collect(this);
  };
}

function describe(name: MetricName): { name: string; help: string; labelNames: readonly string[] } {
  const row = metricTable.find((metric) => metric.name === name);
  return { name, help: row?.help ?? '', labelNames: row?.labels ?? [] };
}
