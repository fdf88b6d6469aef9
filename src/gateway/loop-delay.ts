/**
 * How long a relay thread makes messages wait. Measured by the length of its turns, not by how many of them came late: a
 * few connections can fill long turns with work that nobody else sees, and each message waits for several of them.
 */

/** Milliseconds between two looks. */
const SAMPLE_MS = 20;
/** For so long, and for so many looks, turns must be long: one long pause, of the garbage collector say, is no overload. */
const WINDOW_MS = 500;
const MIN_SAMPLES = 3;
/** A message waits for two turns at least: one in which its request is read, and one for the host's answer. */
const ITERATIONS = 2;
/** A turn this long is reported at once, ms. */
const LONG_ITERATION_MS = 50;

interface Sample {
  readonly at: number;
  /** How much later than it was due, ms. */
  readonly late: number;
}

export class LoopDelay {
  readonly #timer: NodeJS.Timeout;
  readonly #onLongIteration: () => void;
  /** Oldest first. */
  #samples: Sample[] = [];
  #current = 0;
  #expected = performance.now() + SAMPLE_MS;

  /** `onLongIteration`: a turn has just ended that kept all others waiting. */
  constructor({ onLongIteration }: { readonly onLongIteration: () => void }) {
    this.#onLongIteration = onLongIteration;
    this.#timer = setInterval(() => this.sample(performance.now()), SAMPLE_MS).unref();
  }

  /** What every message of the last half second, and of at least three looks, has had to wait at the least, ms. */
  get current(): number {
    return this.#current;
  }

  /** `now`: performance.now(). */
  sample(now: number): void {
    const late = Math.max(0, now - this.#expected);
    this.#expected = now + SAMPLE_MS;
    this.#samples.push({ at: now, late });
    // The oldest look that stays began before the window, so that the window is covered whole.
    while (this.#samples.length > MIN_SAMPLES && (this.#samples[1] as Sample).at <= now - WINDOW_MS)
      this.#samples.shift();
    const covered = this.#samples.length >= MIN_SAMPLES && (this.#samples[0] as Sample).at <= now - WINDOW_MS;
    // Here, and not where it is asked for: every message asks.
    this.#current = covered ? ITERATIONS * Math.min(...this.#samples.map((each) => each.late)) : 0;
    if (late >= LONG_ITERATION_MS) this.#onLongIteration();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
