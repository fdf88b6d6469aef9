/**
 * Event-loop delay of a relay thread: how long messages wait. Measured by the length of event-loop iterations, not by the
 * number of late ones: a few connections can fill long iterations, and each message waits for several of them.
 */

/** Interval between two samples, ms. */
const SAMPLE_MS = 20;
/** Iterations must be long for this time and this number of samples: one long pause (garbage collection) is no overload. */
const WINDOW_MS = 500;
const MIN_SAMPLES = 3;
/** A message waits for at least two iterations: one reads the request, one the host's response. */
const ITERATIONS = 2;
/** An iteration of this length is reported at once, ms. */
const LONG_ITERATION_MS = 50;

interface Sample {
  readonly at: number;
  /** How late the sample was taken, ms. */
  readonly late: number;
}

export class LoopDelay {
  readonly #timer: NodeJS.Timeout;
  readonly #onLongIteration: () => void;
  /** Oldest first. */
  #samples: Sample[] = [];
  #current = 0;
  #expected = performance.now() + SAMPLE_MS;

  /** `onLongIteration` is called right after an iteration of 50 ms or more. */
  constructor({ onLongIteration }: { readonly onLongIteration: () => void }) {
    this.#onLongIteration = onLongIteration;
    this.#timer = setInterval(() => this.sample(performance.now()), SAMPLE_MS).unref();
  }

  /** The least time that any message of the last half second, and of at least three samples, has waited, ms. */
  get current(): number {
    return this.#current;
  }

  /** `now`: performance.now(). */
  sample(now: number): void {
    const late = Math.max(0, now - this.#expected);
    this.#expected = now + SAMPLE_MS;
    this.#samples.push({ at: now, late });
    // The oldest sample that is kept was taken before the window began, so that the samples cover the whole window.
    while (this.#samples.length > MIN_SAMPLES && (this.#samples[1] as Sample).at <= now - WINDOW_MS)
      this.#samples.shift();
    const covered = this.#samples.length >= MIN_SAMPLES && (this.#samples[0] as Sample).at <= now - WINDOW_MS;
    // Computed here and not in `current`, which is read for every message.
    this.#current = covered ? ITERATIONS * Math.min(...this.#samples.map((each) => each.late)) : 0;
    if (late >= LONG_ITERATION_MS) this.#onLongIteration();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
