/** The control thread: owns sources, metrics, admin port and supervisor, and publishes snapshots to the relay threads. */
import { type AdminServer, openAdmin } from '../admin/server.ts';
import type { Status } from '../admin/status-schema.ts';
import { refusesMessages } from '../audit/write-failure.ts';
import type { AuditWriter } from '../audit/writer.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { KeysEvent } from '../keys/state.ts';
import type { RevocationEvent } from '../revocation/event.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { RepeatedLines } from '../telemetry/repeated-lines.ts';
import { Supervisor } from '../thread/supervisor.ts';
import { SpanService } from '../tracing/service.ts';
import { skippedAt } from '../trust/skipped-certificates.ts';
import { version } from '../version.ts';
import { reportRefusal } from './audit-reports.ts';
import { ClockWatch } from './clock-watch.ts';
import { Reloads } from './config-reloads.ts';
import type { Reporting } from './event-reports.ts';
import { hasUsableTrust, readinessOf } from './readiness.ts';
import type { RecentChanges } from './recent-changes.ts';
import { RelayInbox } from './relay-inbox.ts';
import { RelayPlan } from './relay-plan.ts';
import { Sources } from './sources.ts';
import { StatusBoard } from './status-board.ts';
import type { ServiceManager } from './systemd-notify.ts';

export interface ControlParts {
  readonly file: string;
  readonly loaded: LoadedConfig;
  readonly audit: AuditWriter;
  readonly reporting: Reporting;
  readonly changes: RecentChanges;
  readonly logger: Logger;
  readonly failures: RepeatedLines;
  /** Lines of the log that stderr did not accept. */
  readonly linesDropped: () => number;
  readonly manager: ServiceManager;
  readonly onReady: (ready: Ready) => void;
}

/** Where the gateway listens, and with how many relay threads. */
export interface Ready {
  readonly listen: { readonly address: string; readonly port: number };
  readonly admin: {
    readonly address: string | undefined;
    readonly port: number | undefined;
    /** The URL of the admin page. */
    readonly page: string | undefined;
  };
  readonly relays: number;
}

/** Changes within this time are published as one snapshot, ms. */
const GATHER_MS = 10;

export class Control implements AsyncDisposable {
  readonly #parts: ControlParts;
  readonly #metrics: Metrics;
  readonly #spans: SpanService;
  readonly #reloads: Reloads;
  readonly #board: StatusBoard;
  readonly #plan: RelayPlan;
  #listen: Ready['listen'] | null = null;
  #sources: Sources | null = null;
  #admin: AdminServer | null = null;
  #supervisor: Supervisor | null = null;
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  #onUsableAnchor: () => void = () => {};
  #pending: NodeJS.Timeout | null = null;
  /** The last value of `#refusesMessages` that was logged. */
  #loggedRefusal = false;
  #clock: ClockWatch | null = null;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#board = new StatusBoard(parts.changes);
    this.#plan = new RelayPlan(parts.logger);
    this.#metrics = new Metrics({
      version,
      now: Date.now,
      audit: parts.audit,
      logLinesDropped: parts.linesDropped,
      logLinesCollapsed: () => parts.failures.collapsed,
      serverCertificates: () => this.#loaded.serverCertificates.flatMap(({ chain }) => chain),
      anchors: () =>
        (this.#sources?.anchors() ?? []).map((anchor) => {
          return { ...anchor, passedOver: skippedAt(anchor, Date.now()) };
        }),
      revocationSources: () => this.#sources?.revocationSources() ?? [],
      keySets: () => this.#sources?.keySets() ?? [],
    });
    this.#spans = new SpanService({
      version,
      events: {
        onExported: (spans) => this.#metrics.spansExported(spans),
        onDropped: (spans, reason) => {
          this.#metrics.spansDropped(spans, reason);
          parts.reporting.spansDropped(spans, reason);
        },
        onCollectorFailure: (trouble) => parts.reporting.tracing(trouble),
      },
    });
    this.#spans.update(parts.loaded.tracing);
    this.#reloads = new Reloads({
      ...parts,
      onDone: (successful) => {
        this.#flush();
        this.#spans.update(this.#loaded.tracing);
        this.#metrics.reloaded(successful, Date.now());
        this.#plan.reloaded(this.#loaded.config.limits);
        this.auditChanged();
      },
    });
  }

  /** Fetches trust anchors, key sets, CRLs and OCSP answers now. */
  refresh(): void {
    void this.#sources?.refresh();
  }

  get reloads(): Reloads {
    return this.#reloads;
  }

  get #loaded(): LoadedConfig {
    return this.#sources?.loaded ?? this.#parts.loaded;
  }

  /** Audit records cannot be written, and `audit.onFailure` is `refuse`. */
  get #refusesMessages(): boolean {
    return refusesMessages(this.#loaded.config.audit, this.#parts.audit);
  }

  /** To be called when the audit destination fails or recovers, and when `audit.onFailure` may have changed. */
  auditChanged(): void {
    const refuses = this.#refusesMessages;
    this.#supervisor?.refuseMessages(refuses);
    if (refuses !== this.#loggedRefusal) reportRefusal(this.#parts.logger, refuses);
    this.#loggedRefusal = refuses;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { loaded, reporting } = this.#parts;
    this.#admin = await openAdmin({
      ...loaded.config.admin,
      metrics: async () => ({ body: await this.#metrics.text(), contentType: this.#metrics.contentType }),
      hosts: () => this.#loaded.config.admin.hosts ?? [],
      ready: () => this.#readiness(),
      upstreams: () => this.#metrics.upstreams(),
      status: () => this.#status(),
    });
    const stopped = new Promise<void>((done) => {
      if (stop.aborted) done();
      stop.addEventListener('abort', () => done());
    });
    const usableAnchor = new Promise<void>((done) => {
      this.#onUsableAnchor = done;
    });
    this.#sources = await Sources.open(loaded, {
      signal: stop,
      onChange: () => this.#changed(),
      onTrust: (event) => reporting.trust(event),
      onRevocation: (event) => this.#onRevocation(event),
      onIntrospection: ({ endpoint, result, problem, seconds }) => {
        this.#metrics.introspected(result, seconds);
        if (problem !== null) reporting.introspectionFailed(endpoint, problem);
      },
      onKeys: (event) => this.#onKeys(event),
      onUnknownKid: (source) => this.#metrics.unknownKid(source),
    });
    this.#reloads.begin(this.#sources);
    const sources = this.#sources;
    this.#clock = new ClockWatch({ onTick: () => sources.tick(), onJump: (ms) => this.#onJump(ms, sources) });
    this.#publish();
    // Without a usable anchor every client would be refused. The gateway does not listen until there is one; /readyz shows it.
    await Promise.race([usableAnchor, stopped]);
    if (!stop.aborted) await this.#serve(this.#sources);
    await stopped;
    this.#state = 'draining';
    reporting.draining();
    this.#parts.manager.stopping();
    await this.#supervisor?.drain();
  }

  #readiness(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    return readinessOf({
      state: this.#state,
      listening: this.#supervisor?.listening ?? 0,
      refusesMessages: this.#refusesMessages,
      anchors: this.#sources?.anchors() ?? [],
      config: this.#loaded.config,
      keySets: this.#sources?.keySets() ?? [],
      serverCertificates: this.#loaded.serverCertificates,
      now: Date.now(),
    });
  }

  #status(): Status {
    return this.#board.document({
      gateway: {
        version,
        state: this.#state,
        ...this.#readiness(),
        listen: this.#listen,
        generation: this.#sources?.generation || null,
      },
      loaded: this.#loaded,
      audit: this.#parts.audit,
      metrics: this.#metrics,
      sources: this.#sources,
      threads: this.#supervisor?.threads ?? [],
    });
  }

  #onJump(ms: number, sources: Sources): void {
    this.#parts.reporting.clockJumped(ms);
    sources.clockJumped();
  }

  #onRevocation(event: RevocationEvent): void {
    this.#parts.reporting.revocation(event);
    if (event.action === 'address_skipped' || event.action === 'too_many_addresses')
      this.#metrics.addressSkipped(event.anchor);
    if (event.action === 'crl_restarted') this.#metrics.crlRestarted(event.anchor);
  }

  #onKeys(event: KeysEvent): void {
    this.#parts.reporting.keys(event);
    if (event.action === 'fetch_failed' || event.action === 'refused')
      this.#metrics.keySetFailed(event.source);
  }

  async #serve(sources: Sources): Promise<void> {
    const { reporting } = this.#parts;
    const { config } = sources.loaded;
    const inbox = new RelayInbox({
      ...{ sources, reporting, audit: this.#parts.audit, metrics: this.#metrics, board: this.#board },
      spans: this.#spans,
      supervisor: () => supervisor,
      publishPending: () => this.#flush(),
    });
    const relays = await this.#plan.decide(config);
    const supervisor = new Supervisor({
      relays,
      address: config.listen.address,
      port: config.listen.port,
      snapshot: sources.nextSnapshot(),
      refuseMessages: this.#refusesMessages,
      auditFormat: config.audit.format,
      onMessage: (thread, message) => inbox.receive(thread, message),
      onUnexpectedExit: (thread, error) => {
        this.#metrics.threadGone(thread);
        this.#metrics.threadRestarted();
        reporting.threadDied(thread, error);
      },
    });
    this.#supervisor = supervisor;
    const listen = await supervisor.start();
    this.#listen = listen;
    this.#state = 'serving';
    const { address, port, page } = this.#admin ?? {};
    this.#parts.onReady({ listen, admin: { address, port, page }, relays });
    this.#parts.manager.ready();
  }

  /** Delayed, because many OCSP answers may arrive at the same moment. */
  #changed(): void {
    this.#pending ??= setTimeout(() => this.#publish(), GATHER_MS);
  }

  /** Publishes pending changes now. */
  #flush(): void {
    if (this.#pending !== null) this.#publish();
  }

  #publish(): void {
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#pending = null;
    const sources = this.#sources;
    if (sources === null || sources.isApplying) return;
    const { config } = sources.loaded;
    if (config.trust.mode === 'anchors' && sources.anchors().length === 0) return;
    if (hasUsableTrust(config, sources.anchors(), Date.now())) this.#onUsableAnchor();
    if (this.#state !== 'draining') this.#supervisor?.publish(sources.nextSnapshot());
  }

  /** In reverse order of opening. The audit is last: closing the others writes records. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#clock?.[Symbol.dispose]();
    await this.#reloads[Symbol.asyncDispose]();
    await this.#sources?.[Symbol.asyncDispose]();
    await this.#spans.close();
    await this.#admin?.close();
    await this.#parts.audit.close();
  }
}
