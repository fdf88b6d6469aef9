/** The upstream connection of one message. The request is buffered until a connection is open, and sent on that one only. */
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { ConnectionPool } from '../upstream/connection-roles.ts';
import type { Failover, FailoverUser } from '../upstream/failover.ts';
import type { Upstream } from '../upstream/route-endpoints.ts';

/** Made once for a client's connection, and used for its messages in turn. */
export class UpstreamLease {
  readonly #user: FailoverUser;
  #connection: UpstreamConnection | null = null;
  #failover: Failover | null = null;
  #buffered: Buffer[] = [];
  #endpoint: string | null = null;
  #reused: boolean | null = null;
  /** Pools that may keep an idle connection reserved for this client. */
  #pools: ConnectionPool<UpstreamConnection>[] = [];

  constructor(user: FailoverUser) {
    this.#user = user;
  }

  /** URL of the endpoint whose connection carried the message; null: no connection was made. */
  get endpoint(): string | null {
    return this.#endpoint;
  }

  /** The connection was idle before this message; null: no connection was made. */
  get reused(): boolean | null {
    return this.#reused;
  }

  /** The connection uses TLS. */
  get secure(): boolean {
    return this.#connection !== null && this.#connection.pool.endpoint.tls !== null;
  }

  /** A connection is being made. */
  get dialing(): boolean {
    return this.#failover !== null;
  }

  /** Takes an idle connection, or connects. `now`: performance.now(), ms. */
  begin(upstream: Upstream, now: number): void {
    this.#connection = upstream.take(this.#user, now);
    this.#endpoint = this.#connection?.pool.endpoint.url ?? null;
    this.#reused = this.#connection?.reused ?? null;
    if (this.#connection === null) this.#failover = upstream.connect(this.#user);
  }

  /** False: wait for the connection or for its drain. After `finish` or `drop` nothing is written, and it returns true. */
  write(bytes: Buffer): boolean {
    if (this.#failover === null) return this.#connection?.write(bytes) ?? true;
    this.#buffered.push(bytes);
    return false;
  }

  /** A connection is open: writes the buffered request. The message uses no other connection. False as for `write`. */
  connected(connection: UpstreamConnection): boolean {
    this.#failover = null;
    this.#connection = connection;
    this.#endpoint = connection.pool.endpoint.url;
    this.#reused = connection.reused;
    const buffered = this.#buffered;
    this.#buffered = [];
    let flowing = true;
    for (const bytes of buffered) flowing = connection.write(bytes);
    return flowing;
  }

  /** Reading from the host is paused because the client does not read. */
  get paused(): boolean {
    return this.#connection?.paused ?? false;
  }

  /** As `UpstreamConnection.drained`. */
  get drained(): boolean {
    return this.#connection?.drained ?? false;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** The response is complete; `announced` as for `ConnectionPool.release`. */
  finish(announced: number | null): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    const { pool } = connection;
    pool.release(connection, announced);
    if (pool.endpoint.proxyProtocol !== null && !this.#pools.includes(pool)) this.#pools.push(pool);
  }

  /** Reports that the message failed because of the host. Does nothing without a connection: nothing was sent then. */
  hostFailed(reason: string, cause: string): void {
    this.#connection?.pool.messageFailed(reason, cause);
  }

  /** Closes the connection, or cancels the attempts. */
  drop(): void {
    this.#failover?.cancel();
    this.#failover = null;
    this.#connection?.destroy();
    this.#connection = null;
    this.#buffered = [];
  }

  /** The client's connection is closed: also closes the idle connections reserved for it. */
  close(): void {
    this.drop();
    for (const pool of this.#pools) pool.closeReserved(this.#user);
    this.#pools = [];
  }
}
