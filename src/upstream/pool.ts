/** One endpoint: its warm connections, last used first and bounded, and whether it is passed over. */
import type { EndpointPolicy } from '../policy/snapshot.ts';
import type { EndpointMeter } from '../telemetry/endpoint-meter.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Addresses, type Resolve } from './addresses.ts';
import { Attempt } from './attempt.ts';
import { Complaint } from './complaint.ts';
import type { ConnectFailure, Opener, UpstreamConnection, UpstreamUser } from './connection.ts';
import { Ejection } from './ejection.ts';
import { TlsClient } from './tls.ts';
import { Watch } from './watch.ts';

/** Before the host's own `Keep-Alive: timeout`: a message that is on its way when the host closes is lost. */
const MARGIN_MS = 1000;

interface PoolOptions {
  readonly endpoint: EndpointPolicy;
  readonly recorder: Recorder;
  readonly resolve?: Resolve;
}

interface OpenOptions {
  /** Milliseconds. */
  readonly budget: number;
  /** Default: as the endpoint is spoken to. */
  readonly tls?: boolean;
}

export class Pool {
  readonly endpoint: EndpointPolicy;
  readonly meter: EndpointMeter;
  readonly #recorder: Recorder;
  readonly #addresses: Addresses | null;
  readonly #tls: TlsClient | null;
  readonly #ejection = new Ejection();
  readonly #watch: Watch;
  readonly #complaint: Complaint;
  #idle: UpstreamConnection[] = [];
  #sweep: NodeJS.Timeout | null = null;
  /** Some route has another endpoint beside this one. */
  #ejectable = false;
  #closed = false;

  constructor({ endpoint, recorder, resolve }: PoolOptions) {
    const { target, tls, url } = endpoint;
    this.endpoint = endpoint;
    this.meter = recorder.meter.endpoint(url);
    this.#recorder = recorder;
    this.#complaint = new Complaint(recorder, url);
    this.#tls = tls === null ? null : new TlsClient(tls, 'host' in target ? target.host : '');
    this.#addresses =
      'path' in target
        ? null
        : new Addresses({
            host: target.host,
            onGone: () => this.#dropIdle(({ address }) => !this.#leadsHere(address)),
            ...(resolve && { resolve }),
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
    this.#watch.start(connectFirst);
  }

  /** A warm connection that is the user's from now on; null: none. `now`: performance.now(), ms. */
  take(user: UpstreamUser, now: number): UpstreamConnection | null {
    this.#addresses?.touch(now);
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.ended) continue;
      if (now >= connection.idleUntil) {
        connection.destroy();
        continue;
      }
      connection.claim(user);
      return connection;
    }
    return null;
  }

  /**
   * Takes back a connection that nothing is under way on; `announced`: the seconds that the host keeps it open
   * (Keep-Alive: timeout), -1 where it did not say.
   */
  release(connection: UpstreamConnection, announced: number): void {
    this.#ejection.answered();
    this.keep(connection, announced);
  }

  /** The same for one that has answered nothing yet. */
  keep(connection: UpstreamConnection, announced = -1): void {
    const { idle, idleTimeout } = this.endpoint.pool;
    const limit = announced < 0 ? idleTimeout : Math.min(idleTimeout, announced * 1000 - MARGIN_MS);
    const unwanted = this.#closed || this.ejected || !this.#leadsHere(connection.address);
    if (connection.ended || unwanted || limit <= 0 || this.#idle.length >= idle) return connection.destroy();
    connection.park(performance.now() + limit);
    this.#idle.push(connection);
    this.#sweep ??= setInterval(() => this.#dropOld(), idleTimeout / 2).unref();
  }

  /** A new connection for a message: how it goes counts. */
  connect(budget: number, opener: Opener): Attempt {
    return this.open(
      { budget },
      {
        onOpen: (connection) => {
          this.meter.connect('ok');
          if (this.#ejection.connected()) this.#returned();
          opener.onOpen(connection);
        },
        onOpenFailed: (failure) => {
          this.connectFailed(failure);
          opener.onOpenFailed(failure);
        },
      },
    );
  }

  /** A new connection that counts for nothing. */
  open({ budget, tls = true }: OpenOptions, opener: Opener): Attempt {
    return new Attempt({
      pool: this,
      addresses: this.#addresses,
      tls: tls ? this.#tls : null,
      budget,
      opener,
    });
  }

  /** A connection failed before anything was sent on it, or was refused by TLS before the host had said a word. */
  connectFailed(failure: ConnectFailure): void {
    this.meter.connect(failure.why);
    this.#complaint.say(failure.why, failure.cause);
    if (this.#ejectable && this.#ejection.connectFailed()) this.#eject();
  }

  /** What a check found; null: all is well. */
  checked(cause: string | null): void {
    this.meter.check(cause === null ? 'passed' : 'failed');
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

  #leadsHere(address: string | null): boolean {
    return address === null || this.#addresses === null || this.#addresses.has(address);
  }

  #dropOld(): void {
    const now = performance.now();
    this.#dropIdle(({ idleUntil }) => now >= idleUntil);
  }

  #dropIdle(unfit: (connection: UpstreamConnection) => boolean): void {
    const kept: UpstreamConnection[] = [];
    for (const connection of this.#idle) {
      if (connection.ended) continue;
      if (unfit(connection)) connection.destroy();
      else kept.push(connection);
    }
    this.#idle = kept;
    if (kept.length > 0 || this.#sweep === null) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }
}
