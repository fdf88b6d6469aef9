/** How late a relay thread is: the time that work waits for its turn, as long as it has waited without a break. */

/** Milliseconds between two looks, and how many of them a delay must last to count: one long pause is no overload. */
const LOOK_MS = 50;
const LOOKS = 10;

export class LoopDelay {
  readonly #timer: NodeJS.Timeout;
  readonly #delays = new Float64Array(LOOKS);
  #at = 0;
  #current = 0;
  #expected = performance.now() + LOOK_MS;

  constructor() {
    this.#timer = setInterval(() => this.look(performance.now()), LOOK_MS).unref();
  }

  /** The least delay of the last ten looks, ms: what every piece of work has had to wait for half a second. */
  get current(): number {
    return this.#current;
  }

  /** `now`: performance.now(). */
  look(now: number): void {
    this.#delays[this.#at] = Math.max(0, now - this.#expected);
    this.#at = (this.#at + 1) % LOOKS;
    this.#expected = now + LOOK_MS;
    // Here, and not where it is asked for: every message asks.
    this.#current = Math.min(...this.#delays);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
