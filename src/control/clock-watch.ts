/** Compares the wall clock with the monotonic clock every second, to detect that it was set or that the machine slept. */
import { performance } from 'node:perf_hooks';
import { nodeTimers, type Timers } from '../fetch/timers.ts';

interface ClockWatchOptions {
  /** Called every second. */
  readonly onTick: () => void;
  /** The wall clock moved by more or less than the time that passed; `ms`: the difference, positive if forward. */
  readonly onJump: (ms: number) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** A monotonic clock, milliseconds. */
  readonly steady?: () => number;
  readonly timers?: Timers;
}

const INTERVAL_MS = 1000;
/** A clock that is slewed (NTP) moves less than this within a second, ms. */
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
    this.#timer = this.#options.timers.setTimeout(() => this.#tick(), INTERVAL_MS);
  }

  #tick(): void {
    const [last, now] = [this.#last, this.#now()];
    this.#last = now;
    // The monotonic clock stops while the machine sleeps, so a sleep is a jump too.
    const jump = now.wall - last.wall - (now.steady - last.steady);
    this.#wait();
    if (Math.abs(jump) > TOLERANCE_MS) this.#options.onJump(jump);
    this.#options.onTick();
  }
}
