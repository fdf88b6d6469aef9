/** The phase of a client's connection, its timeout, and the deadline of the current exchange. */
import type { ExchangeFailure } from './exchange-facts.ts';
import { LazyTimer } from './lazy-timer.ts';

const never = Number.POSITIVE_INFINITY;

/**
 * `idle`: between two requests; `head`: receives a head; `judging`: awaits the verdict on a token or a signature; `holding`:
 * receives a body whose signature is checked before it is forwarded; `body`: forwards the body of a request; `discarding`:
 * discards the body of a refused request; `response`: the request is complete, the response is not; `closing`: reads
 * nothing more.
 */
type Phase = 'idle' | 'head' | 'judging' | 'holding' | 'body' | 'discarding' | 'response' | 'closing';

interface PhaseOptions {
  /** The timeout of the current phase has passed. */
  readonly onTimeout: () => void;
  readonly onDeadline: () => void;
}

/** `now` and deadlines are performance.now(), ms. */
export class ConnectionDeadlines {
  readonly #options: PhaseOptions;
  readonly #timer = new LazyTimer(() => this.#onDue());
  #current: Phase = 'idle';
  #due = never;
  #deadline = never;

  constructor(options: PhaseOptions) {
    this.#options = options;
  }

  get current(): Phase {
    return this.#current;
  }

  /** Enters a phase, or restarts its timeout. `timeout`: ms from `now`; Infinity: only the deadline applies. */
  enter(phase: Phase, timeout: number, now: number): void {
    this.#current = phase;
    this.#due = now + timeout;
    this.#timer.set(Math.min(this.#due, this.#deadline), now);
  }

  /** Leaves `idle`; must be followed by `enter` or `close`. */
  leaveIdle(): void {
    this.#current = 'head';
  }

  /** Suspends the timeout of the phase; the deadline applies. */
  suspendTimeout(): void {
    this.#due = never;
  }

  get hasTimeout(): boolean {
    return this.#due !== never;
  }

  /** Must be followed by `enter`; applies until `clearDeadline`. */
  setDeadline(deadline: number): void {
    this.#deadline = deadline;
  }

  clearDeadline(): void {
    this.#deadline = never;
  }

  /** Which side the exchange waits for at its deadline: the client to read the response, or to send its body; or the host. */
  deadlineFailure({ awaitsReader }: { readonly awaitsReader: boolean }): ExchangeFailure {
    if (awaitsReader) return { side: 'client', reason: 'answer_unread' };
    // While the host cannot take more of the body, the phase has no timeout.
    const awaitsBody = this.#current === 'body' && this.hasTimeout;
    if (awaitsBody) return { side: 'client', reason: 'body_timeout' };
    return { side: 'host', reason: 'deadline', cause: 'deadline' };
  }

  /** Enters `closing`; neither callback is called again. */
  close(): void {
    this.#current = 'closing';
    this.#due = never;
    this.#deadline = never;
    this.#timer.clear();
  }

  #onDue(): void {
    // Node runs timers before it reads sockets: first read what the client sent while the event loop was blocked.
    setImmediate(() => {
      const now = performance.now();
      if (now >= this.#deadline) this.#options.onDeadline();
      else if (now >= this.#due) this.#options.onTimeout();
      else this.#timer.set(Math.min(this.#due, this.#deadline), now);
    });
  }
}
