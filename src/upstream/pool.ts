/** One endpoint: its warm connections, last used first and bounded, and whether it is passed over. */
import type { EndpointPolicy } from '../policy/snapshot.ts';
import { localProxyHeader } from '../source/proxy-writer.ts';
import type { EndpointMeter } from '../telemetry/endpoint-meter.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Addresses, type Resolve } from './addresses.ts';
import { Attempt } from './attempt.ts';
import type { ConnectFailure, Opener, UpstreamConnection, UpstreamUser } from './connection.ts';
import { Ejection } from './ejection.ts';
import { FailureLog } from './failure-log.ts';
import { IdleConnections } from './idle-connections.ts';
import { IdleWatch } from './idle-observer.ts';
import { Watch } from './monitor.ts';
import { TlsClient } from './tls.ts';

interface PoolOptions {
  readonly endpoint: EndpointPolicy;
  readonly recorder: Recorder;
  readonly resolve?: Resolve;
}

interface OpenOptions {
  /** Milliseconds. */
  readonly budget: number;
  /** Where the endpoint is told whom a connection speaks for; default: for nobody. */
  readonly speaksFor?: { readonly proxyHeader: Buffer };
  /** Default: as the endpoint is spoken to. */
  readonly tls?: boolean;
  /** Hears of it only when the host has accepted the gateway for certain; default: false. */
  readonly sure?: boolean;
  /** Whether it is accepted or refused counts; default: false. */
  readonly counts?: boolean;
}

export class Pool {
  readonly endpoint: EndpointPolicy;
  readonly meter: EndpointMeter;
  readonly #recorder: Recorder;
  readonly #addresses: Addresses | null;
  readonly #tls: TlsClient | null;
  readonly #ejection = new Ejection();
  readonly #watch: Watch;
  readonly #complaint: FailureLog;
  readonly #waiting = new IdleConnections();
  readonly #idle: IdleWatch;
  #sweep: NodeJS.Timeout | null = null;
  /** Some route has another endpoint beside this one. */
  #ejectable = false;
  #closed = false;

  constructor({ endpoint, recorder, resolve }: PoolOptions) {
    const { target, tls, url, pool } = endpoint;
    this.endpoint = endpoint;
    this.meter = recorder.meter.endpoint(url);
    this.#recorder = recorder;
    this.#complaint = new FailureLog(recorder, url);
    this.#tls = tls === null ? null : new TlsClient(tls, 'host' in target ? target.host : '');
    this.#addresses =
      'path' in target
        ? null
        : new Addresses({
            host: target.host,
            onGone: () => this.#dropIdle(({ address }) => !this.#leadsHere(address)),
            onFailed: ({ code }) => this.#complaint.say('resolve_failed', code ?? 'resolver'),
            ...(resolve && { resolve }),
          });
    this.#idle = new IdleWatch({
      endpoint: url,
      configured: pool.idleTimeout,
      meter: this.meter,
      recorder,
    });
    this.#watch = new Watch(this);
    this.meter.pools++;
  }

  /** To be passed over where there is another endpoint. */
  get ejected(): boolean {
    return this.#ejection.ejected;
  }

  /** What routes make of it: `ejectable` when one of them has another beside it; `connectFirst` in milliseconds. */
  use({ ejectable, connectFirst }: { ejectable: boolean; connectFirst: number }): void {
    this.#ejectable = ejectable;
    if (!ejectable && this.#ejection.reset()) this.#returned();
    this.#watch.start(connectFirst);
    // Asked for ahead, or the first message would have to wait for the resolver.
    this.#addresses?.touch(performance.now());
  }

  /** A warm connection that is the user's from now on; null: none. `now`: performance.now(), ms. */
  take(user: UpstreamUser, now: number): UpstreamConnection | null {
    this.#addresses?.touch(now);
    for (;;) {
      const connection = this.#waiting.pick(user);
      if (connection === undefined) return null;
      if (connection.ended) continue;
      if (this.#isFresh(connection, now)) {
        connection.claim(user);
        return connection;
      }
      this.#idle.retire(connection);
    }
  }

  /** The user comes no more: what waits for it alone is closed. */
  leave(user: UpstreamUser): void {
    if (this.endpoint.proxyProtocol !== null) this.#waiting.pick(user)?.destroy();
  }

  /**
   * Takes back a connection whose message was answered; `announced`: the seconds that the host keeps it open (Keep-Alive:
   * timeout), -1 where it did not say; null: nothing more can be sent on it.
   */
  release(connection: UpstreamConnection, announced: number | null): void {
    this.#ejection.answered();
    if (announced === null) connection.destroy();
    else this.keep(connection, announced);
  }

  /** The same for one that has answered nothing yet. What speaks for its user waits for that user; for nobody: not at all. */
  keep(connection: UpstreamConnection, announced = -1): void {
    const { pool, proxyProtocol } = this.endpoint;
    const { idle, idleTimeout } = pool;
    const owner = proxyProtocol === null ? null : connection.user;
    // Most hosts say it where they are asked, which is with a connection's first message.
    if (announced >= 0) connection.announced = announced;
    const limit = this.#idle.limit.after(connection.announced);
    this.meter.idleLimit = Math.max(0, limit);
    const unwanted = this.#closed || !this.#leadsHere(connection.address);
    const nobodys = proxyProtocol !== null && owner === null;
    if (connection.ended || unwanted || nobodys || limit <= 0 || this.#waiting.count >= idle) {
      return connection.destroy();
    }
    connection.park();
    this.#waiting.add(connection, owner);
    this.#sweep ??= setInterval(() => this.#dropOld(), idleTimeout / 2).unref();
  }

  /** A new connection for a message: how it goes counts. */
  connect(options: Omit<OpenOptions, 'tls' | 'counts'>, opener: Opener): Attempt {
    const counted: Opener = {
      onOpen: (connection) => {
        this.meter.connected();
        opener.onOpen(connection);
      },
      onOpenFailed: (failure) => {
        this.connectFailed(failure);
        opener.onOpenFailed(failure);
      },
    };
    return this.open({ ...options, counts: true }, counted);
  }

  /** A new connection that by default counts for nothing. */
  open(
    { budget, speaksFor, tls = true, sure = false, counts = false }: OpenOptions,
    opener: Opener,
  ): Attempt {
    const announced = this.endpoint.proxyProtocol !== null;
    return new Attempt({
      pool: this,
      addresses: this.#addresses,
      tls: tls ? this.#tls : null,
      proxyHeader: announced ? (speaksFor?.proxyHeader ?? localProxyHeader) : null,
      budget,
      sure,
      counts,
      opener,
    });
  }

  /** The host lets the gateway in. */
  accepted(): void {
    if (this.#ejection.accepted()) this.#returned();
  }

  /** A connection failed before anything was sent on it, or was refused by TLS before the host had said a word. */
  connectFailed(failure: ConnectFailure): void {
    this.meter.failed({ at: Date.now(), reason: failure.why, cause: failure.cause });
    this.#complaint.say(failure.why, failure.cause);
    if (this.#ejectable && this.#ejection.connectFailed()) this.#eject();
  }

  /** The host closed a connection that had waited so long, milliseconds. */
  closedWaiting(age: number): void {
    if (!this.#closed) this.#idle.closed(age);
  }

  /** A message that a connection to it carried came to nothing by its doing. `reason`: of the table of messages. */
  messageFailed(reason: string, cause: string): void {
    // A refusal of TLS after the handshake was reported as the connection's.
    if (reason === 'upstream_tls') return;
    this.meter.messageFailed({ at: Date.now(), reason, cause });
    this.#complaint.say(reason, cause);
  }

  /** What a check found; null: all is well. */
  checked(cause: string | null): void {
    this.meter.checked({ at: Date.now(), cause });
    if (cause === null) {
      if (this.#ejection.checkPassed()) this.#returned();
      return;
    }
    this.#complaint.say('check_failed', cause);
    if (this.#ejectable && this.#ejection.checkFailed()) this.#eject();
  }

  /** Milliseconds until the next trial of an endpoint that is passed over. */
  pause(): number {
    return this.#ejection.pause(Math.random());
  }

  /** Nothing is kept from now on; what is in use is closed as it comes back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.stop();
    this.meter.pools--;
    if (this.ejected) this.meter.ejected--;
    this.#idle.stop();
    this.#dropIdle(() => true);
  }

  #eject(): void {
    this.meter.ejection();
    if (!this.#closed) this.meter.ejected++;
    this.#recorder.log('warn', 'an upstream endpoint is passed over', { endpoint: this.endpoint.url });
    // They may lead to where nobody answers either.
    this.#dropIdle(() => true);
    this.#watch.ejected();
  }

  #returned(): void {
    if (!this.#closed) this.meter.ejected--;
    this.#recorder.log('info', 'an upstream endpoint is used again', { endpoint: this.endpoint.url });
  }

  /** Asked anew each time: the limit may have become shorter while the connection waited. */
  #isFresh({ idleSince, announced }: UpstreamConnection, now: number): boolean {
    return now - idleSince < this.#idle.limit.after(announced);
  }

  #leadsHere(address: string | null): boolean {
    return address === null || this.#addresses === null || this.#addresses.has(address);
  }

  #dropOld(): void {
    const now = performance.now();
    this.#idle.look(now);
    this.#waiting.drop(
      (connection) => !this.#isFresh(connection, now),
      (connection) => this.#idle.retire(connection),
    );
    this.#endSweep();
  }

  #dropIdle(unfit: (connection: UpstreamConnection) => boolean): void {
    this.#waiting.drop(unfit);
    this.#endSweep();
  }

  #endSweep(): void {
    if (this.#waiting.count > 0 || this.#sweep === null || this.#idle.looking) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}
