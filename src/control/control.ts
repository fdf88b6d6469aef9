/** What runs once: configuration, trust, audit writer, metrics, admin; it publishes snapshots to the relay threads. */
import { type AdminServer, openAdmin } from '../admin/server.ts';
import { isWorthGivingBack } from '../audit/batch.ts';
import type { AuditEvent } from '../audit/failure.ts';
import { type AuditWriter, openAuditWriter } from '../audit/writer.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { namedProxies } from '../fetch/proxy.ts';
import type { RevocationEvent } from '../revocation/event.ts';
import type { Log, Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { type RelayReport, Supervisor } from '../thread/supervisor.ts';
import { SpanService } from '../tracing/service.ts';
import { isUsable, passedOverAt } from '../trust/passed-over.ts';
import { version } from '../version.ts';
import { ClockWatch } from './clock-watch.ts';
import { preflight } from './preflight.ts';
import { readinessOf } from './readiness.ts';
import { Reloads } from './reloads.ts';
import { Reporting, reportAudit, reportLost, reportRefusal } from './reporting.ts';
import { ServiceManager } from './service-manager.ts';
import { Sources } from './sources.ts';
import { assertStart, checkStart } from './start-check.ts';

interface ControlOptions {
  /** Path of the configuration file. */
  readonly config: string;
  readonly log: Log;
  /** Aborted: drain and end. */
  readonly stop: AbortSignal;
  /** Its `reload` events have the configuration read again, changed or not. */
  readonly signals: EventTarget;
}

/**
 * Runs the gateway until `stop`, and resolves when it has drained, with the number of audit records that were not
 * written. Throws ConfigError, GatewayError.
 */
export async function runControl(options: ControlOptions): Promise<{ readonly recordsLost: number }> {
  const { logger } = options.log;
  const { loaded, problems, warnings } = await preflight(options.config);
  if (loaded === null) throw new ConfigError(problems);
  const proxies = namedProxies();
  if (Object.keys(proxies).length > 0)
    logger.info(proxies, 'trust anchors, CRLs, OCSP answers and spans are fetched and sent through a proxy');
  const start = await checkStart(loaded);
  assertStart(start);
  const events = new EventTarget();
  const audit = await openAudit(loaded, (event) => {
    reportAudit(logger, event);
    events.dispatchEvent(new Event('audit'));
  });
  // Also of a process that ends by a fault, before anything is closed.
  const onExit = () => reportLost(logger, audit);
  process.once('exit', onExit);
  const parts = { file: options.config, loaded, audit, logger, linesDropped: options.log.linesDropped };
  await serve(options, parts, { warnings: [...warnings, ...start.warnings], events });
  return { recordsLost: audit.lost };
}

async function serve(
  { stop, signals }: ControlOptions,
  parts: Omit<ControlParts, 'reporting' | 'manager'>,
  { warnings, events }: { readonly warnings: readonly ConfigProblem[]; readonly events: EventTarget },
): Promise<void> {
  const { audit, logger } = parts;
  const reporting = new Reporting({ audit, logger });
  reporting.warnings(warnings);
  await using manager = new ServiceManager({
    onError: ({ message }) =>
      logger.error({ error: message }, 'systemd cannot be told how the service stands'),
  });
  await using control = new Control({ ...parts, reporting, manager });
  events.addEventListener('audit', () => control.auditChanged());
  const reload = () => {
    audit.reopen();
    // Whether or not the configuration is taken: who sends the signal wants what is current.
    void manager.reloading(control.reloads.request()).finally(() => control.refresh());
  };
  signals.addEventListener('reload', reload);
  try {
    await control.run(stop);
  } finally {
    signals.removeEventListener('reload', reload);
  }
}

function openAudit(
  { config, place }: LoadedConfig,
  onEvent: (event: AuditEvent) => void,
): Promise<AuditWriter> {
  return openAuditWriter({ destination: config.audit.destination, onEvent }).catch((cause: unknown) => {
    const found = cause instanceof Error ? cause.message : String(cause);
    const allowed = 'stdout, stderr or a file that can be written';
    throw new ConfigError([place({ path: ['audit', 'destination'], found, allowed })]);
  });
}

interface ControlParts {
  readonly file: string;
  readonly loaded: LoadedConfig;
  readonly audit: AuditWriter;
  readonly reporting: Reporting;
  readonly logger: Logger;
  /** Lines of the log that stderr did not take. */
  readonly linesDropped: () => number;
  readonly manager: ServiceManager;
}

/** How long changes are gathered before they are published together, ms. */
const GATHER_MS = 10;

class Control {
  readonly #parts: ControlParts;
  readonly #metrics: Metrics;
  readonly #spans: SpanService;
  readonly #reloads: Reloads;
  #sources: Sources | null = null;
  #admin: AdminServer | null = null;
  #supervisor: Supervisor | null = null;
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  #trusted: () => void = () => {};
  #pending: NodeJS.Timeout | null = null;
  /** What the log says of `#refusesMessages`. */
  #toldRefusal = false;
  #clock: ClockWatch | null = null;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#metrics = new Metrics({
      version,
      now: Date.now,
      audit: parts.audit,
      logLinesDropped: parts.linesDropped,
      serverCertificates: () => this.#loaded.serverCertificates.flatMap(({ chain }) => chain),
      anchors: () =>
        (this.#sources?.anchors() ?? []).map((anchor) => {
          return { ...anchor, passedOver: passedOverAt(anchor, Date.now()) };
        }),
      revocationSources: () => this.#sources?.revocationSources() ?? [],
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
        this.auditChanged();
      },
    });
  }

  /** Fetches anchors, CRLs and OCSP answers now. */
  refresh(): void {
    void this.#sources?.refresh();
  }

  get reloads(): Reloads {
    return this.#reloads;
  }

  get #loaded(): LoadedConfig {
    return this.#sources?.loaded ?? this.#parts.loaded;
  }

  /** Records of messages cannot be kept, and the configuration wants none without. */
  get #refusesMessages(): boolean {
    return !this.#parts.audit.isWriting && this.#loaded.config.audit.onFailure === 'refuse';
  }

  /** The audit destination fails, or works again, or the configuration wants something else then. */
  auditChanged(): void {
    const refuses = this.#refusesMessages;
    this.#supervisor?.refuseMessages(refuses);
    if (refuses !== this.#toldRefusal) reportRefusal(this.#parts.logger, refuses);
    this.#toldRefusal = refuses;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { loaded, reporting } = this.#parts;
    this.#admin = await openAdmin({
      ...loaded.config.admin,
      metrics: async () => ({ body: await this.#metrics.text(), contentType: this.#metrics.contentType }),
      ready: () =>
        readinessOf({
          state: this.#state,
          listening: this.#supervisor?.listening ?? 0,
          refusesMessages: this.#refusesMessages,
          anchors: this.#sources?.anchors() ?? [],
          serverCertificates: this.#loaded.serverCertificates,
          now: Date.now(),
        }),
      upstreams: () => this.#metrics.upstreams(),
    });
    const stopped = new Promise<void>((done) => {
      if (stop.aborted) done();
      stop.addEventListener('abort', () => done());
    });
    const trusted = new Promise<void>((done) => {
      this.#trusted = done;
    });
    this.#sources = await Sources.open(loaded, {
      signal: stop,
      onChange: () => this.#changed(),
      onTrust: (event) => reporting.trust(event),
      onRevocation: (event) => this.#onRevocation(event),
    });
    this.#reloads.begin(this.#sources);
    const sources = this.#sources;
    this.#clock = new ClockWatch({ onLook: () => sources.look(), onJump: (ms) => this.#onJump(ms, sources) });
    this.#publish();
    // Without any anchor every caller would be refused: better not to listen, and to say so at /readyz.
    await Promise.race([trusted, stopped]);
    if (!stop.aborted) await this.#serve(this.#sources);
    await stopped;
    this.#state = 'draining';
    this.#parts.logger.info('draining');
    this.#parts.manager.stopping();
    await this.#supervisor?.drain();
  }

  #onJump(ms: number, sources: Sources): void {
    this.#parts.reporting.clockJumped(ms);
    sources.wake();
  }

  #onRevocation(event: RevocationEvent): void {
    this.#parts.reporting.revocation(event);
    if (event.action === 'address_skipped' || event.action === 'too_many_addresses')
      this.#metrics.addressSkipped(event.anchor);
    if (event.action === 'crl_restarted') this.#metrics.crlRestarted(event.anchor);
  }

  async #serve(sources: Sources): Promise<void> {
    const { reporting } = this.#parts;
    const { config } = sources.loaded;
    this.#supervisor = new Supervisor({
      relays: config.relays,
      address: config.listen.address,
      port: config.listen.port,
      snapshot: sources.snapshot(),
      refuseMessages: this.#refusesMessages,
      onMessage: (thread, message) => this.#onMessage(thread, message),
      onUnexpectedExit: (thread, error) => {
        this.#metrics.threadGone(thread);
        this.#metrics.threadRestarted();
        reporting.threadDied(thread, error);
      },
    });
    const listen = await this.#supervisor.start();
    this.#state = 'serving';
    const admin = { address: this.#admin?.address, port: this.#admin?.port };
    process.stdout.write(`${JSON.stringify({ type: 'ready', listen, admin })}\n`);
    this.#parts.manager.ready();
  }

  /** Many OCSP answers may come at one moment: together they are one snapshot. */
  #changed(): void {
    this.#pending ??= setTimeout(() => this.#publish(), GATHER_MS);
  }

  /** What has changed and was not told yet is told now. */
  #flush(): void {
    if (this.#pending !== null) this.#publish();
  }

  #publish(): void {
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#pending = null;
    const sources = this.#sources;
    if (sources === null || sources.anchors().length === 0) return;
    if (sources.anchors().some((anchor) => isUsable(anchor, Date.now()))) this.#trusted();
    if (this.#state !== 'draining') this.#supervisor?.publish(sources.snapshot());
  }

  #onMessage(thread: number, message: RelayReport): void {
    switch (message.type) {
      case 'log':
        return this.#parts.logger[message.level]({ thread, ...message.fields }, message.message);
      case 'unseen':
        return void this.#contact(message);
      case 'report':
        if (message.audit !== null) this.#write(thread, message.audit);
        if (message.meter !== null) this.#metrics.merge(thread, message.meter);
        if (message.spans !== null) this.#spans.add(message.spans);
        return;
      default:
        return message satisfies never;
    }
  }

  #write(thread: number, lines: Uint8Array<ArrayBuffer>): void {
    const giveBack = () => this.#supervisor?.auditWritten(thread, lines);
    this.#parts.audit.write(lines, isWorthGivingBack(lines) ? giveBack : undefined);
  }

  /** The snapshot that holds the answers is published before the relay threads hear that there are any. */
  async #contact({ anchor, leaf }: Extract<RelayReport, { type: 'unseen' }>): Promise<void> {
    const sha256 = await this.#sources?.contact(anchor, leaf);
    this.#flush();
    if (sha256 !== undefined) this.#supervisor?.firstContactDone({ anchor, leaf: sha256 });
  }

  /** In reverse order of opening; the audit last, for it hears of everything else. */
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
