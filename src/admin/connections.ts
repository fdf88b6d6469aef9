/** The connections of the admin port, limited in number and in time, so that none of them can block others. */
import type { Socket } from 'node:net';

interface ConnectionLimits {
  /** Open at once. */
  readonly count: number;
  /** From accept to the last byte of the response, ms. */
  readonly time: number;
}

/**
 * At the limit, a new connection closes the oldest one: a flood closes its own connections, while a health check, which
 * needs its connection for milliseconds, gets its response.
 */
export class AdminConnections {
  readonly #limits: ConnectionLimits;
  /** In the order of accept. */
  readonly #open = new Set<Socket>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  add(socket: Socket): void {
    for (const oldest of this.#open) {
      if (this.#open.size < this.#limits.count) break;
      this.#open.delete(oldest);
      oldest.destroy();
    }
    this.#open.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.time);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#open.delete(socket);
    });
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
