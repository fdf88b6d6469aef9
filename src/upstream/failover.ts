/** Connects to the endpoints of a route in turn, each within its timeout. No byte of a message is sent here, so that retrying is safe. */
import type { Timeouts } from '../policy/snapshot.ts';
import type { Attempt } from './connect-attempt.ts';
import type { ConnectFailure, UpstreamLoss } from './connect-failure.ts';
import type { UpstreamConnection } from './connection.ts';
import type { Opener, UpstreamUser } from './connection-roles.ts';
import type { Pool } from './pool.ts';

/** Exactly one of `onUpstreamConnect` and `onUpstreamLost` is called first, after the call that began it has returned. */
export interface FailoverUser extends UpstreamUser {
  /** Sent first to endpoints that get a PROXY header; constant for one user. */
  readonly proxyHeader: Buffer;
  /** The connection is assigned to the user. */
  onUpstreamConnect(connection: UpstreamConnection): void;
  /** Every endpoint failed; the arguments are of the last one. */
  onUpstreamLost(why: UpstreamLoss, cause: string): void;
}

interface FailoverStep {
  readonly pool: Pool;
  /** Milliseconds. */
  readonly timeout: number;
}

export type ConnectTimeouts = Pick<Timeouts, 'connect' | 'connectFirst'>;

/**
 * In the order of the configuration, and ejected endpoints last: if no other one can be connected to, they are tried.
 * The last endpoint that is not ejected has more time than the others. `pools`: not empty.
 */
export function failoverSteps(
  pools: readonly Pool[],
  { connect, connectFirst }: ConnectTimeouts,
): FailoverStep[] {
  const usable = pools.filter(({ ejected }) => !ejected);
  const order = [...usable, ...pools.filter(({ ejected }) => ejected)];
  const last = usable.length > 0 ? usable.length - 1 : order.length - 1;
  return order.map((pool, index) => ({ pool, timeout: index === last ? connect : connectFirst }));
}

export class Failover implements Opener<UpstreamConnection> {
  readonly #steps: readonly FailoverStep[];
  readonly #user: FailoverUser;
  #index = 0;
  #attempt: Attempt;

  /** `steps`: not empty. */
  constructor(steps: readonly FailoverStep[], user: FailoverUser) {
    this.#steps = steps;
    this.#user = user;
    this.#attempt = this.#connect(steps[0] as FailoverStep);
  }

  cancel(): void {
    this.#attempt.cancel();
  }

  onOpen(connection: UpstreamConnection): void {
    connection.assign(this.#user);
    this.#user.onUpstreamConnect(connection);
  }

  onOpenFailed({ why, cause }: ConnectFailure): void {
    const step = this.#steps[++this.#index];
    if (step === undefined) return this.#user.onUpstreamLost(why, cause);
    const idle = step.pool.take(this.#user, performance.now());
    if (idle !== null) this.#user.onUpstreamConnect(idle);
    else this.#attempt = this.#connect(step);
  }

  #connect({ pool, timeout }: FailoverStep): Attempt {
    return pool.connect({ timeout, onBehalfOf: this.#user }, this);
  }
}
