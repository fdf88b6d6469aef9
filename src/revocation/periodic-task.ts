/** Runs one task again and again, never twice at a time, with a delay that is determined after each run. */
import { longestPause, type Timers } from '../fetch/pause.ts';

export class PeriodicTask {
  readonly #task: (signal: AbortSignal) => Promise<void>;
  readonly #delay: () => number;
  readonly #timers: Timers;
  #timer: unknown = null;
  #running: { readonly done: Promise<void>; readonly abort: AbortController } | null = null;
  #ended = false;

  /** `run` must not reject; `interrupt` and `end` abort its signal. `delay`: milliseconds, read after every run. */
  constructor(options: {
    readonly run: (signal: AbortSignal) => Promise<void>;
    readonly delay: () => number;
    readonly timers: Timers;
  }) {
    this.#task = options.run;
    this.#delay = options.delay;
    this.#timers = options.timers;
  }

  /** Starts a run now, or returns the one in progress. */
  runNow(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    if (this.#running !== null) return this.#running.done;
    this.#clear();
    const abort = new AbortController();
    const done = this.#task(abort.signal).finally(() => {
      this.#running = null;
      this.schedule();
    });
    this.#running = { done, abort };
    return done;
  }

  /** Restarts the delay before the next run; no effect during a run, which restarts it at its end. */
  schedule(): void {
    if (this.#ended || this.#running !== null) return;
    this.#clear();
    this.#timer = this.#timers.setTimeout(() => this.runNow(), Math.min(this.#delay(), longestPause));
  }

  /** Aborts the run in progress, if any, and resolves when it has ended. */
  async interrupt(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  /** Starts no further run; resolves when the one in progress has ended. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#clear();
    await this.interrupt();
  }

  #clear(): void {
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
