/** The connections of one endpoint: makes new ones, keeps idle ones for reuse, and ejects the endpoint when it fails. */
import type { EndpointPolicy } from '../policy/snapshot.ts';
import { localProxyHeader } from '../source/proxy-writer.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Addresses, type Resolve } from './addresses.ts';
import { Attempt, type ConnectOptions } from './connect-attempt.ts';
import type { ConnectFailure } from './connect-failure.ts';
import type { UpstreamConnection } from './connection.ts';
import type {
  ConnectionEvents,
  ConnectionPool,
  ConnectionStage,
  Opener,
  UpstreamUser,
} from './connection-roles.ts';
import { Ejection } from './ejection.ts';
import { EndpointRecorder } from './endpoint-recorder.ts';
import { EndpointMonitor, type MonitoredEndpoint } from './health-monitor.ts';
import { IdleConnections } from './idle-connections.ts';
import { IdleObserver } from './idle-observer.ts';
import { TlsClient } from './tls-client.ts';

interface PoolOptions {
  readonly endpoint: EndpointPolicy;
  readonly recorder: Recorder;
  readonly resolve?: Resolve;
}

export class Pool implements ConnectionPool<UpstreamConnection>, ConnectionEvents, MonitoredEndpoint {
  readonly endpoint: EndpointPolicy;
  readonly #report: EndpointRecorder;
  readonly #addresses: Addresses | null;
  readonly #tls: TlsClient | null;
  readonly #ejection = new Ejection();
  readonly #monitor: EndpointMonitor;
  readonly #idle = new IdleConnections();
  readonly #idleObserver: IdleObserver;
  #sweep: NodeJS.Timeout | null = null;
  /** A route has another endpoint beside this one. */
  #ejectable = false;
  #closed = false;

  constructor({ endpoint, recorder, resolve }: PoolOptions) {
    const { target, tls, url, pool } = endpoint;
    this.endpoint = endpoint;
    this.#report = new EndpointRecorder(recorder, url);
    this.#tls = tls === null ? null : new TlsClient(tls, 'host' in target ? target.host : '');
    this.#addresses =
      'path' in target
        ? null
        : new Addresses({
            host: target.host,
            onRemoved: () => this.#dropIdle(({ address }) => !this.#isKnown(address)),
            onFailed: ({ code }) => this.#report.resolveFailed(code ?? 'resolver'),
            ...(resolve && { resolve }),
          });
    this.#idleObserver = new IdleObserver(pool.idleTimeout, this.#report);
    this.#monitor = new EndpointMonitor(this);
    this.#report.open();
  }

  /** Routes with another endpoint use that one. */
  get ejected(): boolean {
    return this.#ejection.ejected;
  }

  /** `ejectable`: a route has another endpoint beside this one; `connectFirst`: the timeout of a trial, milliseconds. */
  configure({ ejectable, connectFirst }: { ejectable: boolean; connectFirst: number }): void {
    this.#ejectable = ejectable;
    if (!ejectable && this.#ejection.reset()) this.#report.returned();
    this.#monitor.start(connectFirst);
    // Resolve in advance, so that the first message does not wait for the resolver.
    this.#addresses?.refreshIfStale(performance.now());
  }

  /** Removes and returns an idle connection that is assigned to `user`; null if none. `now`: performance.now(), ms. */
  take(user: UpstreamUser, now: number): UpstreamConnection | null {
    this.#addresses?.refreshIfStale(now);
    for (;;) {
      const connection = this.#idle.pick(user);
      if (connection === undefined) return null;
      if (connection.ended) continue;
      if (this.#isFresh(connection, now)) {
        connection.assign(user);
        return connection;
      }
      this.#idleObserver.retire(connection);
    }
  }

  closeReserved(user: UpstreamUser): void {
    if (this.endpoint.proxyProtocol !== null) this.#idle.pick(user)?.destroy();
  }

  release(connection: UpstreamConnection, announced: number | null): void {
    this.#ejection.answered();
    if (announced === null) connection.destroy();
    else this.keep(connection, announced);
  }

  /**
   * Keeps a connection for reuse, or closes it. A connection opened with a PROXY header is reused only for the client it
   * names, and not at all if it names none. `announced`: seconds, as for `release`.
   */
  keep(connection: UpstreamConnection, announced = -1): void {
    const { pool, proxyProtocol } = this.endpoint;
    const { idle, idleTimeout } = pool;
    const owner = proxyProtocol === null ? null : connection.user;
    // Most hosts announce it only if asked, which the gateway does with a connection's first message.
    if (announced >= 0) connection.announced = announced;
    const limit = this.#idleObserver.limit.limitFor(connection.announced);
    this.#report.idleLimit(Math.max(0, limit));
    const unwanted = this.#closed || !this.#isKnown(connection.address);
    const unowned = proxyProtocol !== null && owner === null;
    if (connection.ended || unwanted || unowned || limit <= 0 || this.#idle.count >= idle) {
      return connection.destroy();
    }
    connection.becomeIdle();
    this.#idle.add(connection, owner);
    this.#sweep ??= setInterval(() => this.#closeExpired(), idleTimeout / 2).unref();
  }

  /** As `Connector` has it: a new connection. */
  connect(options: ConnectOptions, opener: Opener<UpstreamConnection>): Attempt {
    const { timeout, onBehalfOf, tls = true, awaitAcceptance = false, countOutcome = true } = options;
    const proxied = this.endpoint.proxyProtocol !== null;
    return new Attempt({
      pool: this,
      events: this,
      addresses: this.#addresses,
      tls: tls ? this.#tls : null,
      proxyHeader: proxied ? (onBehalfOf?.proxyHeader ?? localProxyHeader) : null,
      timeout,
      awaitAcceptance,
      countOutcome,
      opener: countOutcome ? this.#counted(opener) : opener,
    });
  }

  #counted(opener: Opener<UpstreamConnection>): Opener<UpstreamConnection> {
    return {
      onOpen: (connection) => {
        this.#report.connected();
        opener.onOpen(connection);
      },
      onOpenFailed: (failure) => {
        this.connectFailed(failure);
        opener.onOpenFailed(failure);
      },
    };
  }

  stageChanged(from: ConnectionStage, to: ConnectionStage): void {
    this.#report.stageChanged(from, to);
  }

  accepted(): void {
    if (this.#ejection.accepted()) this.#report.returned();
  }

  connectFailed(failure: ConnectFailure): void {
    this.#report.connectFailed(failure);
    if (this.#ejectable && this.#ejection.connectFailed()) this.#eject();
  }

  closedWhileIdle(idleMs: number): void {
    if (!this.#closed) this.#idleObserver.closed(idleMs);
  }

  messageFailed(reason: string, cause: string): void {
    // The connection has reported a TLS refusal after the handshake itself.
    if (reason !== 'upstream_tls') this.#report.messageFailed(reason, cause);
  }

  /** The result of a health check; `cause`: null if it passed. */
  checked(cause: string | null): void {
    this.#report.checked(cause);
    if (cause === null) {
      if (this.#ejection.checkPassed()) this.#report.returned();
    } else if (this.#ejectable && this.#ejection.checkFailed()) this.#eject();
  }

  /** Milliseconds until the next trial of an ejected endpoint. */
  nextTrialDelay(): number {
    return this.#ejection.nextTrialDelay(Math.random());
  }

  /** Closes idle connections now, and connections in use when they are released. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#monitor.stop();
    this.#report.close({ ejected: this.ejected });
    this.#idleObserver.stop();
    this.#dropIdle(() => true);
  }

  #eject(): void {
    this.#report.ejected();
    // The host may no longer respond on them either.
    this.#dropIdle(() => true);
    this.#monitor.ejected();
  }

  /** Compared with the current limit, which may have become lower while the connection was idle. */
  #isFresh({ idleSince, announced }: UpstreamConnection, now: number): boolean {
    return now - idleSince < this.#idleObserver.limit.limitFor(announced);
  }

  #isKnown(address: string | null): boolean {
    return address === null || this.#addresses === null || this.#addresses.has(address);
  }

  #closeExpired(): void {
    const now = performance.now();
    this.#idleObserver.checkProbe(now);
    this.#idle.drop(
      (connection) => !this.#isFresh(connection, now),
      (connection) => this.#idleObserver.retire(connection),
    );
    this.#endSweep();
  }

  #dropIdle(unfit: (connection: UpstreamConnection) => boolean): void {
    this.#idle.drop(unfit);
    this.#endSweep();
  }

  #endSweep(): void {
    if (this.#idle.count > 0 || this.#sweep === null || this.#idleObserver.probing) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}
