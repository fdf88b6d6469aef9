/** What runs once: configuration, trust, audit writer, metrics, admin; it publishes snapshots to the relay threads. */
import { type AdminServer, openAdmin } from './admin/server.ts';
import { trustLine } from './audit/record.ts';
import { type AuditWriter, openAuditWriter } from './audit/writer.ts';
import type { LoadedConfig } from './config/load.ts';
import { ConfigError, describeProblem } from './errors.ts';
import { acceptAnchor, preflight } from './preflight.ts';
import { buildSnapshot } from './snapshot.ts';
import type { Logger } from './telemetry/logger.ts';
import { Metrics } from './telemetry/metrics.ts';
import type { FromRelay } from './thread/messages.ts';
import { Supervisor } from './thread/supervisor.ts';
import { openTrust, type Trust } from './trust/refresh.ts';
import type { AnchorState, TrustEvent } from './trust/state.ts';
import { version } from './version.ts';

interface ControlOptions {
  /** Path of the configuration file. */
  readonly config: string;
  readonly logger: Logger;
  /** Aborted: drain and end. */
  readonly stop: AbortSignal;
}

/** Runs the gateway until `stop`, and resolves when it has drained. Throws ConfigError, GatewayError. */
export async function runControl({ config: file, logger, stop }: ControlOptions): Promise<void> {
  const { loaded, problems, warnings } = await preflight(file);
  for (const warning of warnings) logger.warn(describeProblem(warning));
  if (loaded === null) throw new ConfigError(problems);
  const { config } = loaded;

  const audit = await openAuditWriter({
    destination: config.audit.destination,
    onError: (error) =>
      logger.error({ error: error.message }, 'the audit sink fails; records are kept and retried'),
  }).catch((cause: unknown) => {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([
      loaded.place({
        path: ['audit', 'destination'],
        found,
        allowed: 'stdout, stderr or a file that can be written',
      }),
    ]);
  });
  await using control = new Control({ loaded, audit, logger });
  await control.run(stop);
}

const warnedOf: ReadonlySet<TrustEvent['action']> = new Set([
  'refused',
  'fetch_failed',
  'root_changed_refused',
  'approval_refused',
  'cache_failed',
]);

class Control {
  readonly #loaded: LoadedConfig;
  readonly #audit: AuditWriter;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #trust: Trust | null = null;
  #admin: AdminServer | null = null;
  #supervisor: Supervisor | null = null;
  #generation = 0;
  #state: 'starting' | 'serving' | 'draining' = 'starting';
  #trusted: () => void = () => {};

  constructor(options: { loaded: LoadedConfig; audit: AuditWriter; logger: Logger }) {
    this.#loaded = options.loaded;
    this.#audit = options.audit;
    this.#logger = options.logger;
    this.#metrics = new Metrics({
      version,
      now: Date.now,
      auditRecordsLost: () => this.#audit.lost,
      serverCertificates: () => this.#loaded.serverCertificates.flatMap(({ chain }) => chain),
      anchors: () => this.#trust?.states() ?? [],
    });
  }

  async run(stop: AbortSignal): Promise<void> {
    const { config } = this.#loaded;
    this.#admin = await openAdmin({
      ...config.admin,
      metrics: async () => ({ body: await this.#metrics.text(), contentType: this.#metrics.contentType }),
      ready: () => this.#readiness(),
    });
    const stopped = new Promise<void>((done) => {
      if (stop.aborted) done();
      stop.addEventListener('abort', () => done());
    });
    const trusted = new Promise<void>((done) => {
      this.#trusted = done;
    });
    this.#trust = await openTrust({
      ...config.trust,
      signal: stop,
      accept: acceptAnchor(config.clients),
      onAnchors: (anchors) => this.#onAnchors(anchors),
      onEvent: (event) => this.#onTrustEvent(event),
    });
    this.#onAnchors(this.#trust.states());
    // Without any anchor every caller would be refused: better not to listen, and to say so at /readyz.
    await Promise.race([trusted, stopped]);
    if (!stop.aborted) await this.#serve();
    await stopped;
    this.#state = 'draining';
    this.#logger.info('draining');
    await this.#supervisor?.drain();
  }

  async #serve(): Promise<void> {
    const { config } = this.#loaded;
    this.#supervisor = new Supervisor({
      relays: config.relays,
      address: config.listen.address,
      port: config.listen.port,
      snapshot: this.#snapshot(),
      onMessage: (thread, message) => this.#onMessage(thread, message),
      onDeath: (thread, error) => {
        this.#metrics.threadGone(thread);
        this.#metrics.threadRestarted();
        this.#logger.error({ thread, error: error?.message ?? null }, 'a relay thread died and is replaced');
      },
    });
    const listen = await this.#supervisor.start();
    this.#state = 'serving';
    const admin = { address: this.#admin?.address, port: this.#admin?.port };
    process.stdout.write(`${JSON.stringify({ type: 'ready', listen, admin })}\n`);
  }

  #snapshot() {
    return buildSnapshot(this.#loaded, {
      generation: ++this.#generation,
      anchors: this.#trust?.states() ?? [],
    });
  }

  #onAnchors(anchors: readonly AnchorState[]): void {
    if (anchors.length === 0) return;
    this.#trusted();
    if (this.#state !== 'draining') this.#supervisor?.publish(this.#snapshot());
  }

  #onTrustEvent(event: TrustEvent): void {
    const { action, anchor, sha256, url, detail, added, removed } = event;
    const failed = warnedOf.has(action);
    // With colons: the log masks long runs of digits, and a hash may hold one.
    const root = sha256?.replaceAll(/..(?!$)/g, '$&:');
    this.#logger[failed ? 'warn' : 'info']({ anchor, root, url, detail }, action);
    this.#audit.write(
      trustLine({
        time: Date.now(),
        event: action,
        anchor,
        rootSha256: sha256 ?? null,
        url: url ?? null,
        detail: detail ?? null,
        added: added ?? null,
        removed: removed ?? null,
      }),
    );
  }

  #onMessage(thread: number, message: Extract<FromRelay, { type: 'report' | 'log' }>): void {
    if (message.type === 'log')
      return this.#logger[message.level]({ thread, ...message.fields }, message.message);
    if (message.audit !== null) this.#audit.write(message.audit);
    if (message.meter !== null) this.#metrics.merge(thread, message.meter);
  }

  #readiness(): { ready: boolean; reasons: string[] } {
    const reasons: string[] = [];
    if (this.#state !== 'serving') reasons.push(this.#state);
    const now = Date.now();
    const usable = (this.#trust?.states() ?? []).some(({ certificates }) =>
      certificates.every(({ notBefore, notAfter }) => now >= notBefore && now <= notAfter),
    );
    if (!usable) reasons.push('no usable trust anchor');
    const expired = this.#loaded.serverCertificates.every(({ chain }) => now > (chain[0]?.notAfter ?? 0));
    if (expired) reasons.push('the server certificate has expired');
    return { ready: reasons.length === 0, reasons };
  }

  /** In reverse order of opening; the audit last, for it hears of everything else. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#trust?.close();
    await this.#admin?.close();
    await this.#audit.close();
  }
}
