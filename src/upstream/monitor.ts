/** Looks after an endpoint beside the messages: health checks where they are asked for, trials while it is passed over. */
import type { Attempt } from './attempt.ts';
import { HealthCheck } from './health-check.ts';
import type { Pool } from './pool.ts';

export class Watch {
  readonly #pool: Pool;
  #connectFirst = 0;
  #timer: NodeJS.Timeout | null = null;
  #running: HealthCheck | Attempt | null = null;
  #stopped = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** `connectFirst`: what a trial may take, milliseconds. May be called again. */
  start(connectFirst: number): void {
    this.#connectFirst = connectFirst;
    if (this.#timer === null && this.#running === null) this.#schedule();
  }

  /** The endpoint is passed over from now on. */
  ejected(): void {
    // What is running says what comes next.
    if (this.#running === null) this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running?.cancel();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { endpoint, ejected } = this.#pool;
    const pause = ejected ? this.#pool.pause() : Number.POSITIVE_INFINITY;
    // Spread, so that the gateways of a host do not all ask at once.
    const interval = (endpoint.health?.interval ?? Number.POSITIVE_INFINITY) * (0.9 + Math.random() / 5);
    const delay = Math.min(pause, interval);
    if (this.#stopped || delay === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#look(), delay).unref();
  }

  #look(): void {
    this.#timer = null;
    const { endpoint, ejected } = this.#pool;
    const { health } = endpoint;
    // A message has found out before.
    if (health === null && !ejected) return;
    if (health !== null) {
      this.#running = new HealthCheck(this.#pool, health, (cause) =>
        this.#next(() => this.#pool.checked(cause)),
      );
      return;
    }
    // Nobody waits for it, and if it goes well the next message finds it warm.
    this.#running = this.#pool.connect(
      { budget: this.#connectFirst, sure: true },
      {
        onOpen: (connection) => this.#next(() => this.#pool.keep(connection)),
        onOpenFailed: () => this.#next(() => {}),
      },
    );
  }

  #next(settle: () => void): void {
    settle();
    this.#running = null;
    this.#schedule();
  }
}
