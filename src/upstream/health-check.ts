/** One health check: a connection, a TLS handshake or a GET, as configured. It contains nothing of a message. */
import { ResponseReader, type Span } from '../message/head-reader.ts';
import type { EndpointPolicy, HealthPolicy, Limits } from '../policy/snapshot.ts';
import type { Attempt, Connector } from './connect-attempt.ts';
import type { UpstreamLoss } from './connect-failure.ts';
import type { UpstreamConnection } from './connection.ts';
import type { UpstreamUser } from './connection-roles.ts';

/** Of the response's head. */
const limits: Pick<Limits, 'head' | 'fields'> = { head: 16 * 1024, fields: 100 };

interface CheckOptions extends Pick<EndpointPolicy, 'authority'> {
  readonly health: HealthPolicy;
}

export class HealthCheck implements UpstreamUser {
  readonly #options: CheckOptions;
  readonly #onEnd: (cause: string | null) => void;
  readonly #attempt: Attempt;
  /** Only for `http`; the other kinds end with their attempt, which has the same timeout. */
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #heads = new ResponseReader();
  #connection: UpstreamConnection | null = null;

  /** `onEnd` is called once, after this call has returned, unless the check is cancelled; null: the check passed. */
  constructor(connector: Connector, options: CheckOptions, onEnd: (cause: string | null) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    const { kind, timeout } = options.health;
    this.#timer = kind === 'http' ? setTimeout(() => this.#end('timeout'), timeout) : undefined;
    this.#attempt = connector.connect(
      { timeout, tls: kind !== 'tcp', awaitAcceptance: kind === 'tls', countOutcome: false },
      {
        onOpen: (connection) => this.#opened(connection),
        onOpenFailed: ({ cause }) => this.#end(cause),
      },
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#attempt.cancel();
    this.#connection?.destroy();
  }

  #opened(connection: UpstreamConnection): void {
    this.#connection = connection;
    const { health, authority } = this.#options;
    if (health.kind !== 'http') return this.#end(null);
    connection.assign(this);
    connection.write(
      Buffer.from(`GET ${health.path} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`, 'latin1'),
    );
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    let rest: Span = { bytes, at: 0, end };
    for (;;) {
      const head = this.#heads.read(rest, { toHead: false, limits });
      if (head === null) return;
      if ('fault' in head) return this.#end(head.fault);
      if (head.status >= 200) return this.#end(head.status <= 299 ? null : `status ${head.status}`);
      rest = this.#heads.rest;
    }
  }

  onUpstreamDrain(): void {}

  onUpstreamEnd(): void {
    this.#end('closed_early');
  }

  onUpstreamLost(why: UpstreamLoss): void {
    this.#end(why);
  }

  #end(cause: string | null): void {
    this.cancel();
    this.#onEnd(cause);
  }
}
