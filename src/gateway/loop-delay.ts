/**
 * How long a relay thread makes messages wait. Measured by the length of its turns, not by how many of them came late: a
 * few connections can fill long turns with work that nobody else sees, and each message waits for several of them.
 */

/** Milliseconds between two looks. */
const LOOK_MS = 20;
/** For so long, and for so many looks, turns must be long: one long pause, of the garbage collector say, is no overload. */
const WINDOW_MS = 500;
const MIN_LOOKS = 3;
/** A message waits for two turns at least: one in which its request is read, and one for the host's answer. */
const TURNS = 2;
/** A turn this long is reported at once, ms. */
const LONG_TURN_MS = 50;

interface Look {
  readonly at: number;
  /** How much later than it was due, ms. */
  readonly late: number;
}

export class LoopDelay {
  readonly #timer: NodeJS.Timeout;
  readonly #onLongTurn: () => void;
  /** Oldest first. */
  #looks: Look[] = [];
  #current = 0;
  #expected = performance.now() + LOOK_MS;

  /** `onLongTurn`: a turn has just ended that kept all others waiting. */
  constructor({ onLongTurn }: { readonly onLongTurn: () => void }) {
    this.#onLongTurn = onLongTurn;
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();
  }

  /** What every message of the last half second, and of at least three looks, has had to wait at the least, ms. */
  get current(): number {
    return this.#current;
  }

  /** `now`: performance.now(). */
  look(now: number): void {
    const late = Math.max(0, now - this.#expected);
    this.#expected = now + LOOK_MS;
    this.#looks.push({ at: now, late });
    // The oldest look that stays began before the window, so that the window is covered whole.
    while (this.#looks.length > MIN_LOOKS && (this.#looks[1] as Look).at <= now - WINDOW_MS)
      this.#looks.shift();
    const covered = this.#looks.length >= MIN_LOOKS && (this.#looks[0] as Look).at <= now - WINDOW_MS;
    // Here, and not where it is asked for: every message asks.
    this.#current = covered ? TURNS * Math.min(...this.#looks.map((each) => each.late)) : 0;
    if (late >= LONG_TURN_MS) this.#onLongTurn();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
