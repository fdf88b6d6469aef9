/** One attempt to connect to an endpoint: tries its addresses in turn, all within one timeout. */
import type { Addresses, SocketAddress } from './addresses.ts';
import type { ConnectFailure } from './connect-failure.ts';
import { type ConnectionOptions, UpstreamConnection } from './connection.ts';
import type { Opener } from './connection-roles.ts';

/** How a connection is asked for. */
export interface ConnectOptions {
  /** Milliseconds, for the resolver and all addresses together. */
  readonly timeout: number;
  /** The client that the PROXY header names, where the endpoint gets one; default: none (`LOCAL`). */
  readonly onBehalfOf?: { readonly proxyHeader: Buffer };
  /** False: connects without TLS to an endpoint with TLS; default: true. */
  readonly tls?: boolean;
  /** Reports the connection as open only after the host has accepted the gateway's certificate; default: false. */
  readonly awaitAcceptance?: boolean;
  /** Counts success and failure in the metrics and for the ejection of the endpoint; default: true. */
  readonly countOutcome?: boolean;
}

/** What makes connections: a pool. */
export interface Connector {
  /** Calls exactly one method of `opener`, after this call has returned, unless the attempt is cancelled. */
  connect(options: ConnectOptions, opener: Opener<UpstreamConnection>): Attempt;
}

interface AttemptOptions extends Omit<ConnectionOptions, 'to'> {
  /** `timeout`: milliseconds, for the resolver and all addresses together. */
  readonly timeout: number;
  /** null: the endpoint is a Unix socket. */
  readonly addresses: Addresses | null;
}

export class Attempt implements Opener<UpstreamConnection> {
  readonly #options: AttemptOptions;
  readonly #due: number;
  /** Addresses that were not tried yet, in order. */
  #remaining: SocketAddress[] = [];
  #pending: UpstreamConnection | null = null;
  #resolveTimer: NodeJS.Timeout | null = null;
  #over = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { addresses, pool, timeout } = options;
    const { target } = pool.endpoint;
    const now = performance.now();
    this.#due = now + timeout;
    addresses?.refreshIfStale(now);
    if ('path' in target) this.#try([target]);
    else if (addresses !== null && addresses.known.length > 0) this.#tryKnown();
    else this.#resolve();
  }

  /** Ends the attempt; the opener is not called. */
  cancel(): void {
    this.#over = true;
    if (this.#resolveTimer !== null) clearTimeout(this.#resolveTimer);
    this.#pending?.destroy();
  }

  #resolve(): void {
    this.#resolveTimer = setTimeout(() => {
      this.#fail({ why: 'connect_timeout', cause: 'resolver' });
    }, this.#options.timeout);
    this.#options.addresses?.resolve().then(
      () => this.#tryKnown(),
      (error: NodeJS.ErrnoException) => {
        this.#fail({ why: 'connect_failed', cause: error.code ?? 'resolver' });
      },
    );
  }

  #tryKnown(): void {
    const { addresses, pool } = this.#options;
    const { target } = pool.endpoint;
    const port = 'port' in target ? target.port : 0;
    if (this.#resolveTimer !== null) clearTimeout(this.#resolveTimer);
    this.#try(addresses?.known.map((host) => ({ host, port })) ?? []);
  }

  #try(addresses: SocketAddress[]): void {
    this.#remaining = addresses;
    if (!this.#over) this.#next({ why: 'connect_failed', cause: 'no address' });
  }

  #next(failure: ConnectFailure): void {
    // Each address gets an equal share of the remaining time; what a quick refusal leaves goes to the addresses after it.
    const share = (this.#due - performance.now()) / this.#remaining.length;
    const to = this.#remaining.shift();
    if (to === undefined) return this.#fail(failure);
    const timeout = Math.max(1, share);
    this.#pending = new UpstreamConnection({ ...this.#options, to, timeout, opener: this });
  }

  onOpen(connection: UpstreamConnection): void {
    this.#over = true;
    if (connection.address !== null) this.#options.addresses?.prefer(connection.address);
    this.#options.opener.onOpen(connection);
  }

  onOpenFailed(failure: ConnectFailure): void {
    this.#next(failure);
  }

  #fail(failure: ConnectFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.addresses?.refreshAfterFailure();
    this.#options.opener.onOpenFailed(failure);
  }
}
