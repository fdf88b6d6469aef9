/** Looks at the clock every second, and notices when it was set or the machine slept: timers do not. */
import { performance } from 'node:perf_hooks';
import { nodeTimers, type Timers } from '../fetch/timers.ts';

interface ClockWatchOptions {
  /** Every second. */
  readonly onLook: () => void;
  /** The wall clock has moved otherwise than time has passed; `ms`: forward if positive. */
  readonly onJump: (ms: number) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Milliseconds that nobody can set. */
  readonly steady?: () => number;
  readonly timers?: Timers;
}

const INTERVAL_MS = 1000;
/** A clock that is only being corrected moves less than this within a second, ms. */
const TOLERANCE_MS = 2000;

export class ClockWatch implements Disposable {
  readonly #options: Required<ClockWatchOptions>;
  #last: { readonly wall: number; readonly steady: number };
  #timer: unknown;

  constructor(options: ClockWatchOptions) {
    this.#options = { clock: Date.now, steady: () => performance.now(), timers: nodeTimers, ...options };
    this.#last = this.#now();
    this.#wait();
  }

  [Symbol.dispose](): void {
    this.#options.timers.clearTimeout(this.#timer);
  }

  #now() {
    const { clock, steady } = this.#options;
    return { wall: clock(), steady: steady() };
  }

  #wait(): void {
    this.#timer = this.#options.timers.setTimeout(() => this.#look(), INTERVAL_MS);
  }

  #look(): void {
    const [last, now] = [this.#last, this.#now()];
    this.#last = now;
    // The steady clock stands still while the machine sleeps, so a sleep is a jump as well.
    const jump = now.wall - last.wall - (now.steady - last.steady);
    this.#wait();
    if (Math.abs(jump) > TOLERANCE_MS) this.#options.onJump(jump);
    this.#options.onLook();
  }
}
