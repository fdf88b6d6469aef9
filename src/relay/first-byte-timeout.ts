/** Timeouts of the host: for the first byte of the response (`firstByte`), and between two reads of it (`idle`). */
import type { RoutePolicy } from '../policy/snapshot.ts';
import { LazyTimer } from './lazy-timer.ts';

const never = Number.POSITIVE_INFINITY;

/** Milliseconds; null: no limit. */
type ResponseLimits = Pick<RoutePolicy, 'firstByte' | 'idle'>;

type ResponseTimeoutReason = 'first_byte_timeout' | 'idle_timeout';

/** Made once for a client's connection, and used for its messages in turn. */
export class FirstByteTimeout {
  readonly #onTimeout: (reason: ResponseTimeoutReason) => void;
  readonly #timer = new LazyTimer(() => this.#onDue());
  #limits: ResponseLimits = { firstByte: null, idle: null };
  #receivedBytes = false;
  #due = never;

  constructor(onTimeout: (reason: ResponseTimeoutReason) => void) {
    this.#onTimeout = onTimeout;
  }

  /** Prepares for the next message; the timeout is not running yet. */
  begin(limits: ResponseLimits): void {
    this.#limits = limits;
    this.#receivedBytes = false;
  }

  /** Bytes of the response were received. */
  received(): void {
    this.#receivedBytes = true;
  }

  /** Starts the timeout, or starts it again: the gateway waits for the host now. */
  start(): void {
    const limit = this.#receivedBytes ? this.#limits.idle : this.#limits.firstByte;
    if (limit === null) return this.stop();
    const now = performance.now();
    this.#due = now + limit;
    this.#timer.set(this.#due, now);
  }

  /** Stops the timeout: the gateway does not wait for the host, or the exchange is over. */
  stop(): void {
    this.#due = never;
    this.#timer.set(never, 0);
  }

  /** Stops the timeout for good, and releases the timer. */
  close(): void {
    this.#due = never;
    this.#timer.clear();
  }

  #onDue(): void {
    // Node runs timers before it reads sockets: first read what the host sent while the event loop was blocked.
    setImmediate(() => {
      if (performance.now() >= this.#due) {
        this.#onTimeout(this.#receivedBytes ? 'idle_timeout' : 'first_byte_timeout');
      }
    });
  }
}
