/** How long the host may be silent while it is its turn: before the first byte of its answer, and within it. */
import type { RoutePolicy } from '../policy/snapshot.ts';
import { LazyTimer } from './lazy-timer.ts';

const never = Number.POSITIVE_INFINITY;

type Limits = Pick<RoutePolicy, 'firstByte' | 'idle'>;

/** Made once a client's connection and used for its messages one after another. */
export class ResponseTimeout {
  readonly #lost: (why: 'first_byte_timeout' | 'idle_timeout') => void;
  readonly #alarm = new LazyTimer(() => this.#ring());
  #limits: Limits = { firstByte: null, idle: null };
  #heard = false;
  #due = never;

  constructor(lost: (why: 'first_byte_timeout' | 'idle_timeout') => void) {
    this.#lost = lost;
  }

  /** For the next message; nobody waits yet. */
  begin(limits: Limits): void {
    this.#limits = limits;
    this.#heard = false;
  }

  /** A piece of the answer has come. */
  heard(): void {
    this.#heard = true;
  }

  /** From now on it is the host's turn. */
  wait(): void {
    const allowed = this.#heard ? this.#limits.idle : this.#limits.firstByte;
    if (allowed === null) return this.rest();
    const now = performance.now();
    this.#due = now + allowed;
    this.#alarm.set(this.#due, now);
  }

  /** It is not the host's turn, or the exchange is over. */
  rest(): void {
    this.#due = never;
    this.#alarm.set(never, 0);
  }

  /** There will be no other message. */
  end(): void {
    this.#due = never;
    this.#alarm.clear();
  }

  #ring(): void {
    // Timers come before sockets: what the host sent while the event loop stood still is read first.
    setImmediate(() => {
      if (performance.now() >= this.#due) this.#lost(this.#heard ? 'idle_timeout' : 'first_byte_timeout');
    });
  }
}
