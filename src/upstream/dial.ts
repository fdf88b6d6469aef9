/** Reaches for endpoints one after another. No byte of a message passes here: that is why it may try again. */
import type { Attempt } from './attempt.ts';
import type { ConnectFailure, Opener, UpstreamConnection, UpstreamLoss, UpstreamUser } from './connection.ts';
import type { Pool } from './pool.ts';

/** Hears exactly one of the two, later than the call that began the dial. */
export interface DialUser extends UpstreamUser {
  /** What a connection begins with whose endpoint is told whom it speaks for; one user's never changes. */
  readonly proxyHeader: Buffer;
  /** The connection is the user's from now on. */
  onUpstreamConnect(connection: UpstreamConnection): void;
  /** The last endpoint's failure. */
  onUpstreamLost(why: UpstreamLoss, cause: string): void;
}

export interface DialStep {
  readonly pool: Pool;
  /** Milliseconds. */
  readonly budget: number;
}

export class Dial implements Opener {
  readonly #steps: readonly DialStep[];
  readonly #user: DialUser;
  #index = 0;
  #attempt: Attempt;

  /** `steps`: not empty. */
  constructor(steps: readonly DialStep[], user: DialUser) {
    this.#steps = steps;
    this.#user = user;
    this.#attempt = this.#connect(steps[0] as DialStep);
  }

  cancel(): void {
    this.#attempt.cancel();
  }

  onOpen(connection: UpstreamConnection): void {
    connection.claim(this.#user);
    this.#user.onUpstreamConnect(connection);
  }

  onOpenFailed({ why, cause }: ConnectFailure): void {
    const step = this.#steps[++this.#index];
    if (step === undefined) return this.#user.onUpstreamLost(why, cause);
    const warm = step.pool.take(this.#user, performance.now());
    if (warm !== null) this.#user.onUpstreamConnect(warm);
    else this.#attempt = this.#connect(step);
  }

  #connect({ pool, budget }: DialStep): Attempt {
    return pool.connect({ budget, speaksFor: this.#user }, this);
  }
}
