/** One message's bytes on their way to the host: held until a connection is made, then written to it and to no other. */
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Dial, DialUser } from '../upstream/dial.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** Made once a client's connection and used for its messages one after another. */
export class Delivery {
  readonly #user: DialUser;
  #connection: UpstreamConnection | null = null;
  #dial: Dial | null = null;
  #held: Buffer[] = [];
  #endpoint: string | null = null;
  #reused: boolean | null = null;
  /** Where a connection may wait that speaks for this client alone. */
  #pools: Pool[] = [];

  constructor(user: DialUser) {
    this.#user = user;
  }

  /** The endpoint whose connection carried the message; null: none was made. */
  get endpoint(): string | null {
    return this.#endpoint;
  }

  /** Its connection had waited for it, most often after another message; null: none was made. */
  get reused(): boolean | null {
    return this.#reused;
  }

  /** The connection is one of TLS. */
  get secure(): boolean {
    return this.#connection !== null && this.#connection.pool.endpoint.tls !== null;
  }

  /** No connection is made yet. */
  get dialing(): boolean {
    return this.#dial !== null;
  }

  /** `now`: performance.now(), ms. */
  begin(upstream: Upstream, now: number): void {
    this.#connection = upstream.take(this.#user, now);
    this.#endpoint = this.#connection?.pool.endpoint.url ?? null;
    this.#reused = this.#connection?.reused ?? null;
    if (this.#connection === null) this.#dial = upstream.dial(this.#user);
  }

  /** False: wait for the connection, or for its drain. After `finish` or `drop` nothing is written. */
  write(bytes: Buffer): boolean {
    if (this.#dial === null) return this.#connection?.write(bytes) ?? true;
    this.#held.push(bytes);
    return false;
  }

  /** From here on there is one connection for this message, and no other. False as for `write`. */
  connected(connection: UpstreamConnection): boolean {
    this.#dial = null;
    this.#connection = connection;
    this.#endpoint = connection.pool.endpoint.url;
    this.#reused = connection.reused;
    const held = this.#held;
    this.#held = [];
    let flowing = true;
    for (const bytes of held) flowing = connection.write(bytes);
    return flowing;
  }

  /** The host has to wait for the client. */
  get paused(): boolean {
    return this.#connection?.paused ?? false;
  }

  /** The host has taken the message, or nearly. */
  get drained(): boolean {
    return this.#connection?.drained ?? false;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** The answer is complete; `idleSeconds` as for `Pool.release`. */
  finish(idleSeconds: number | null): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    const { pool } = connection;
    pool.release(connection, idleSeconds);
    if (pool.endpoint.proxyProtocol !== null && !this.#pools.includes(pool)) this.#pools.push(pool);
  }

  /** What the host did wrong on this message's connection; without one nothing was sent to it. */
  hostFailed(reason: string, cause: string): void {
    this.#connection?.pool.messageFailed(reason, cause);
  }

  drop(): void {
    this.#dial?.cancel();
    this.#dial = null;
    this.#connection?.destroy();
    this.#connection = null;
    this.#held = [];
  }

  /** The client is gone: what waits for its next message is closed too. */
  close(): void {
    this.drop();
    for (const pool of this.#pools) pool.leave(this.#user);
    this.#pools = [];
  }
}
