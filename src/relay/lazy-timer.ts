/** One timer for a connection: postponing its due time changes a number, and creates no timer. */

export class LazyTimer {
  readonly #onDue: (now: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #firesAt = 0;

  /** `onDue` is called once `now` (performance.now(), ms) has reached the due time. */
  constructor(onDue: (now: number) => void) {
    this.#onDue = onDue;
  }

  /** Replaces the due time by `due` (performance.now(), ms; Infinity: never). */
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
    this.#onDue(now);
  };
}
