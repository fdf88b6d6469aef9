/** One timer a connection: moving its due time forward costs a number, not a timer. */

export class LazyTimer {
  readonly #ring: (now: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #firesAt = 0;

  /** `ring` is called once `now` (performance.now(), ms) has reached the due time. */
  constructor(ring: (now: number) => void) {
    this.#ring = ring;
  }

  /** Due at `due` (performance.now(), ms; Infinity: never) instead of whatever was set before. */
  set(due: number, now: number): void {
    this.#due = due;
    if (due === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== null) {
      if (this.#firesAt <= due) return;
      clearTimeout(this.#timer);
    }
    this.#schedule(now);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due = Number.POSITIVE_INFINITY;
  }

  #schedule(now: number): void {
    const delay = Math.max(1, Math.ceil(this.#due - now));
    this.#firesAt = now + delay;
    this.#timer = setTimeout(this.#fire, delay);
  }

  readonly #fire = (): void => {
    this.#timer = null;
    if (this.#due === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    if (now < this.#due) return this.#schedule(now);
    this.#due = Number.POSITIVE_INFINITY;
    this.#ring(now);
  };
}
