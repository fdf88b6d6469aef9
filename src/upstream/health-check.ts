/** One health check: a connection, a handshake or a GET, with nothing of a message in it. */
import { ResponseReader, type Span } from '../message/head-reader.ts';
import type { HealthPolicy, Limits } from '../policy/snapshot.ts';
import type { Attempt } from './attempt.ts';
import type { UpstreamConnection, UpstreamLoss, UpstreamUser } from './connection.ts';
import type { Pool } from './pool.ts';

/** Of the answer's head. */
const limits: Pick<Limits, 'head' | 'fields'> = { head: 16 * 1024, fields: 100 };

export class HealthCheck implements UpstreamUser {
  readonly #pool: Pool;
  readonly #policy: HealthPolicy;
  readonly #done: (cause: string | null) => void;
  readonly #attempt: Attempt;
  /** For the answer to a GET; the others end with their attempt, which has the same time. */
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #heads = new ResponseReader();
  #connection: UpstreamConnection | null = null;

  /** `done` is called once, later than this call, unless the check is cancelled; null: all is well. */
  constructor(pool: Pool, policy: HealthPolicy, done: (cause: string | null) => void) {
    this.#pool = pool;
    this.#policy = policy;
    this.#done = done;
    const { kind, timeout } = policy;
    this.#timer = kind === 'http' ? setTimeout(() => this.#end('timeout'), timeout) : undefined;
    this.#attempt = pool.open(
      { budget: timeout, tls: kind !== 'tcp', sure: kind === 'tls' },
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
    if (this.#policy.kind !== 'http') return this.#end(null);
    connection.claim(this);
    const { path } = this.#policy;
    const { authority } = this.#pool.endpoint;
    connection.write(
      Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`, 'latin1'),
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
    this.#done(cause);
  }
}
