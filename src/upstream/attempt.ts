/** One reach for an endpoint: its addresses in turn, until one is connected or the time that all share is used up. */
import type { Addresses } from './addresses.ts';
import { type ConnectFailure, type Opener, type SocketAddress, UpstreamConnection } from './connection.ts';
import type { Pool } from './pool.ts';
import type { TlsClient } from './tls.ts';

interface AttemptOptions {
  readonly pool: Pool;
  /** null: a Unix socket. */
  readonly addresses: Addresses | null;
  readonly tls: TlsClient | null;
  /** null: none is sent. */
  readonly proxyHeader: Buffer | null;
  /** Milliseconds, for all addresses and the resolver together. */
  readonly budget: number;
  /** As for a connection. */
  readonly sure: boolean;
  readonly counts: boolean;
  readonly opener: Opener;
}

export class Attempt implements Opener {
  readonly #options: AttemptOptions;
  readonly #due: number;
  /** Still to be tried, in their order. */
  #left: SocketAddress[] = [];
  #pending: UpstreamConnection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #over = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { addresses, pool, budget } = options;
    const { target } = pool.endpoint;
    const now = performance.now();
    this.#due = now + budget;
    addresses?.touch(now);
    if ('path' in target) this.#try([target]);
    else if (addresses !== null && addresses.known.length > 0) this.#tryKnown();
    else this.#resolve();
  }

  /** Nobody waits for it any more: its opener hears nothing. */
  cancel(): void {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#pending?.destroy();
  }

  #resolve(): void {
    this.#timer = setTimeout(() => {
      this.#fail({ why: 'connect_timeout', cause: 'resolver' });
    }, this.#options.budget);
    this.#options.addresses?.ask().then(
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
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#try(addresses?.known.map((host) => ({ host, port })) ?? []);
  }

  #try(addresses: SocketAddress[]): void {
    this.#left = addresses;
    if (!this.#over) this.#next({ why: 'connect_failed', cause: 'no address' });
  }

  #next(failure: ConnectFailure): void {
    // A quick refusal leaves its share to the addresses behind it, a silent one takes no more than its own.
    const share = (this.#due - performance.now()) / this.#left.length;
    const to = this.#left.shift();
    if (to === undefined) return this.#fail(failure);
    const timeout = Math.max(1, share);
    this.#pending = new UpstreamConnection({ ...this.#options, to, timeout, opener: this });
  }

  onOpen(connection: UpstreamConnection): void {
    this.#over = true;
    if (connection.address !== null) this.#options.addresses?.worked(connection.address);
    this.#options.opener.onOpen(connection);
  }

  onOpenFailed(failure: ConnectFailure): void {
    this.#next(failure);
  }

  #fail(failure: ConnectFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.addresses?.doubt();
    this.#options.opener.onOpenFailed(failure);
  }
}
