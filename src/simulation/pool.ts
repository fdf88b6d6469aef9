/** The sender's connections. A message never waits for the answer to another one: without a free connection it gets a new one. */
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from './connection.ts';
import type { Target } from './endpoint.ts';
import { Queue } from './queue.ts';

/** Waits for a connection; exactly one of these is called, unless it has given up. */
export interface Waiter {
  /** It no longer needs a connection. */
  readonly gaveUp: boolean;
  onConnection(connection: Connection): void;
  /** `detail`: a code, such as ECONNREFUSED. */
  onNoConnection(detail: string): void;
}

export interface PoolEvents {
  /** A connection opened, after so many milliseconds. */
  onOpened(milliseconds: number): void;
  onOpenFailed(detail: string): void;
  /** Bytes that belong to no message. */
  onUnasked(): void;
}

export interface PoolOptions {
  readonly target: Target;
  /** Keep connections for further messages; else each carries one. */
  readonly keepAlive: boolean;
  readonly maxConnections: number;
  readonly openTimeout: number;
  /** Messages a second: so many handshakes can begin in a second, whatever a handshake takes. */
  readonly rate: number;
  readonly events: PoolEvents;
}

/**
 * Handshakes at the same time with kept connections, at least. After a pause of either side hundreds of messages are due at
 * once; as many handshakes would take the CPU of both sides, and none of them would finish in time.
 */
const minOpening = 8;
/** Idle connections are closed after this time, ms, as .NET does; gateways close them later. */
const idleTime = 60_000;
/** Milliseconds between the last answer and the end of the connections. */
const lingerTime = 200;

export class Pool {
  /** The largest number of connections at one time. */
  most = 0;
  /** Messages that found the limit of connections reached. */
  limited = 0;

  readonly #options: PoolOptions;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting = new Queue<Waiter>();
  readonly #sweep: NodeJS.Timeout;
  #opening = 0;
  /** Connections that are still to be opened without a message. */
  #spare = 0;
  /** The shortest time that a connection took to open, ms. */
  #fastest = 0;
  #closed = false;
  #prepared: (() => void) | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#closeIdle(), idleTime / 6);
    this.#sweep.unref();
  }

  /** Connections that are open or opening. */
  get size(): number {
    return this.#all.size;
  }

  /** Opens so many kept connections; resolves when each is open or has failed. */
  prepare(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#prepared = resolve;
      this.#spare = count;
      this.#openMore();
    });
  }

  /** The newest idle connection, or a new one. */
  acquire(waiter: Waiter): void {
    const connection = this.#takeIdle();
    if (connection !== null) {
      waiter.onConnection(connection);
      return;
    }
    this.#waiting.push(waiter);
    this.#openMore();
    const isServed = this.#waiting.length <= this.#opening;
    if (!isServed && this.#all.size >= this.#options.maxConnections) this.limited += 1;
  }

  /** Ends every connection in order, after a time in which a second answer may still arrive. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweep);
    await delay(lingerTime);
    for (const connection of this.#all) connection.close();
  }

  #takeIdle(): Connection | null {
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop())
      if (next.usable) return next;
    return null;
  }

  #takeWaiter(): Waiter | null {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      if (!next.gaveUp) return next;
    return null;
  }

  #openMore(): void {
    // In the order of their times, because the timeout is the same for all: no connection is opened for these.
    while (this.#waiting.head?.gaveUp) this.#waiting.shift();
    const wanted = () => this.#spare + this.#waiting.length - this.#opening;
    while (
      !this.#closed &&
      wanted() > 0 &&
      this.#opening < this.#maxOpening &&
      this.#all.size < this.#options.maxConnections
    )
      this.#open();
  }

  /** Twice as many as are under way when every message needs a new connection. */
  get #maxOpening(): number {
    const { keepAlive, rate } = this.#options;
    if (!keepAlive) return Number.POSITIVE_INFINITY;
    return Math.max(minOpening, Math.ceil((2 * rate * this.#fastest) / 1000));
  }

  #open(): void {
    const { target, keepAlive, openTimeout } = this.#options;
    this.#opening += 1;
    const connection = new Connection({ target, keep: keepAlive, openTimeout, events: this.#events });
    this.#all.add(connection);
    this.most = Math.max(this.most, this.#all.size);
  }

  readonly #events = {
    onOpen: (connection: Connection) => {
      const milliseconds = performance.now() - connection.since;
      this.#fastest = this.#fastest === 0 ? milliseconds : Math.min(this.#fastest, milliseconds);
      this.#options.events.onOpened(milliseconds);
      connection.since = performance.now();
      this.#offer(connection);
      this.#endOpening();
    },
    // Later, so that a second answer in the same bytes is not taken for the answer to the next message.
    onIdle: (connection: Connection) => {
      if (this.#waiting.length === 0) this.#idle.push(connection);
      else setImmediate(() => this.#offer(connection));
    },
    onUnasked: () => this.#options.events.onUnasked(),
    onClosed: (connection: Connection, failure: string | null) => {
      this.#all.delete(connection);
      const at = this.#idle.indexOf(connection);
      if (at >= 0) this.#idle.splice(at, 1);
      if (this.#closed) return;
      if (failure === null) return this.#openMore();
      this.#options.events.onOpenFailed(failure);
      this.#takeWaiter()?.onNoConnection(failure);
      this.#endOpening();
    },
  };

  #endOpening(): void {
    this.#opening -= 1;
    if (this.#spare > 0) this.#spare -= 1;
    this.#openMore();
    if (this.#spare === 0) this.#prepared?.();
  }

  #offer(connection: Connection): void {
    if (!connection.usable) return;
    const waiter = this.#takeWaiter();
    if (waiter !== null) waiter.onConnection(connection);
    else if (this.#closed || !this.#options.keepAlive) connection.close();
    else this.#idle.push(connection);
  }

  #closeIdle(): void {
    const before = performance.now() - idleTime;
    // Closing takes them out of the list.
    for (const connection of this.#idle.filter(({ since }) => since < before)) connection.close();
  }
}
