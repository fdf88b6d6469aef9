/** Does one thing again and again, never twice at a time: each turn says how long the pause after it is. */
import { longestPause, type Timers } from '../fetch/pause.ts';

export class Repetition {
  readonly #turn: (signal: AbortSignal) => Promise<void>;
  /** Asked after every turn: milliseconds. */
  readonly #pause: () => number;
  readonly #timers: Timers;
  #timer: unknown = null;
  #running: { readonly done: Promise<void>; readonly abort: AbortController } | null = null;
  #ended = false;

  /** `turn` must not reject; its signal is aborted by `end`. */
  constructor(options: {
    readonly turn: (signal: AbortSignal) => Promise<void>;
    readonly pause: () => number;
    readonly timers: Timers;
  }) {
    this.#turn = options.turn;
    this.#pause = options.pause;
    this.#timers = options.timers;
  }

  /** Takes a turn at once, or joins the one that is being taken. */
  now(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    if (this.#running !== null) return this.#running.done;
    this.#clear();
    const abort = new AbortController();
    const done = this.#turn(abort.signal).finally(() => {
      this.#running = null;
      this.schedule();
    });
    this.#running = { done, abort };
    return done;
  }

  /** Sets the pause before the next turn anew; after a turn that is being taken that happens by itself. */
  schedule(): void {
    if (this.#ended || this.#running !== null) return;
    this.#clear();
    this.#timer = this.#timers.setTimeout(() => this.now(), Math.min(this.#pause(), longestPause));
  }

  /** Ends the turn that is being taken, if any. */
  async interrupt(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  /** No turn begins any more; resolves when the one that is being taken has ended. */
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
