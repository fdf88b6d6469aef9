/** The warm connections to one endpoint: last used first, bounded, never one whose end is known. */
import { type Endpoint, UpstreamConnection, type UpstreamUser } from './connection.ts';

/** Below the five seconds after which Node, and the ten or more after which others, close idle connections. */
const IDLE_MS = 4000;
const MAX_IDLE = 256;

interface IdleConnection {
  readonly connection: UpstreamConnection;
  readonly since: number;
}

export class Pool {
  readonly #endpoint: Endpoint;
  #idle: IdleConnection[] = [];
  #sweep: NodeJS.Timeout | null = null;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** A warm connection (`connected` is true) or a new one that is still connecting. */
  acquire(user: UpstreamUser): UpstreamConnection {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { connection, since } = idle;
      if (connection.ended) continue;
      if (performance.now() - since > IDLE_MS) {
        connection.destroy();
        continue;
      }
      connection.user = user;
      connection.written = false;
      return connection;
    }
    return new UpstreamConnection(this.#endpoint, user);
  }

  /** Takes back a connection whose answer ended exactly where its framing said. */
  release(connection: UpstreamConnection): void {
    connection.user = null;
    if (connection.ended) return;
    if (this.#idle.length >= MAX_IDLE) return connection.destroy();
    this.#idle.push({ connection, since: performance.now() });
    this.#sweep ??= setInterval(() => this.#dropOld(), IDLE_MS / 2).unref();
  }

  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
    for (const { connection } of this.#idle) connection.destroy();
    this.#idle = [];
  }

  #dropOld(): void {
    const oldest = performance.now() - IDLE_MS;
    const kept: IdleConnection[] = [];
    for (const idle of this.#idle) {
      if (idle.connection.ended) continue;
      if (idle.since < oldest) idle.connection.destroy();
      else kept.push(idle);
    }
    this.#idle = kept;
    if (kept.length === 0 && this.#sweep !== null) {
      clearInterval(this.#sweep);
      this.#sweep = null;
    }
  }
}
