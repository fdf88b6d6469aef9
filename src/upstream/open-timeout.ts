/** The time in which a connection must be open, extended once by the time for which the event loop was blocked. */

/** A timer that fires this much late, ms, shows that the event loop was blocked: data from the host may be unread. */
const STALL_MS = 5;

export class OpenTimeout {
  readonly #due: number;
  readonly #onTimeout: () => void;
  #timer: NodeJS.Timeout | null;

  /** Calls `onTimeout` after `timeout` ms unless it is stopped. */
  constructor(timeout: number, onTimeout: () => void) {
    this.#due = performance.now() + timeout;
    this.#onTimeout = onTimeout;
    this.#timer = setTimeout(() => this.#fire(), timeout);
  }

  /** Calls `then` after `delay` ms, instead of what was set before. */
  replace(delay: number, then: () => void): void {
    this.stop();
    this.#timer = setTimeout(then, delay);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #fire(): void {
    const late = performance.now() - this.#due;
    if (late < STALL_MS) return this.#onTimeout();
    // Node runs timers before it reads sockets: extend the timeout, once, by the time for which the loop was blocked.
    this.#timer = setTimeout(this.#onTimeout, late);
  }
}
