/** The admin port's connections: bounded in number, in time and in work, so that none of them can stop the others. */
import type { Socket } from 'node:net';

interface ConnectionLimits {
  /** Open at once. */
  readonly count: number;
  /** From accept to the last byte of the answer, ms. */
  readonly time: number;
}

/**
 * Beyond the limit the connection that was open longest makes room for the new one: whoever holds many connections open
 * closes his own, and a health check, which needs its connection for milliseconds, is answered.
 */
export class AdminConnections {
  readonly #limits: ConnectionLimits;
  /** In the order of accept; true: its one request has come. */
  readonly #open = new Map<Socket, boolean>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  add(socket: Socket): void {
    for (const [oldest] of this.#open) {
      if (this.#open.size < this.#limits.count) break;
      oldest.destroy();
      this.#open.delete(oldest);
    }
    this.#open.set(socket, false);
    const timer = setTimeout(() => socket.destroy(), this.#limits.time);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#open.delete(socket);
    });
  }

  /** Whether this request is its connection's first. Any other ends the connection: nothing of it is answered. */
  isFirstRequest(socket: Socket): boolean {
    if (this.#open.get(socket) !== false) {
      socket.destroy();
      return false;
    }
    this.#open.set(socket, true);
    return true;
  }
}
