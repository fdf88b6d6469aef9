/** Runs one task again and again, never twice at the same time, with a delay after each run. */
import { maxDelay, type Timers } from './timers.ts';

export class PeriodicTask {
  readonly #run: (signal: AbortSignal) => Promise<void>;
  readonly #delay: () => number;
  readonly #timers: Timers;
  readonly #signal: AbortSignal | undefined;
  #timer: unknown = null;
  #running: { readonly done: Promise<void>; readonly abort: AbortController } | null = null;
  #ended = false;

  constructor(options: {
    /** Must not reject. Its signal is aborted by `interrupt` and `end`. */
    readonly run: (signal: AbortSignal) => Promise<void>;
    /** Milliseconds until the next run; called whenever a run is scheduled. */
    readonly delay: () => number;
    readonly timers: Timers;
    /** No run starts after it is aborted. */
    readonly signal?: AbortSignal;
  }) {
    this.#run = options.run;
    this.#delay = options.delay;
    this.#timers = options.timers;
    this.#signal = options.signal;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Runs the task at once, or joins the run in progress. Resolves when the run has ended, at once after `end`. */
  runNow(): Promise<void> {
    if (this.#running !== null) return this.#running.done;
    if (this.#hasEnded) return Promise.resolve();
    this.#clear();
    const abort = new AbortController();
    const done = this.#run(abort.signal).finally(() => {
      this.#running = null;
      this.schedule();
    });
    this.#running = { done, abort };
    return done;
  }

  /** Starts the delay before the next run, or starts it again. No effect during a run, which starts it at its end. */
  schedule(): void {
    if (this.#hasEnded || this.#running !== null) return;
    this.#clear();
    this.#timer = this.#timers.setTimeout(
      () => {
        this.#timer = null;
        return this.runNow();
      },
      Math.min(this.#delay(), maxDelay),
    );
  }

  /** Aborts the run in progress, if any, and resolves when it has ended; the next run is scheduled. */
  async interrupt(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  /** Aborts the run in progress and resolves when it has ended; no run starts after this call. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#clear();
    await this.interrupt();
  }

  get #hasEnded(): boolean {
    return this.#ended || this.#signal?.aborted === true;
  }

  #clear(): void {
    if (this.#timer !== null) this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
