/** The endpoints of one route, in order. A message is sent to one of them, and never again to another. */
import { ResponseHeadCache } from '../message/head-reader.ts';
import type { UpstreamConnection } from './connection.ts';
import type { UpstreamUser } from './connection-roles.ts';
import { type ConnectTimeouts, Failover, type FailoverUser, failoverSteps } from './failover.ts';
import type { Pool } from './pool.ts';

export class Upstream {
  readonly headCache = new ResponseHeadCache();
  /** At least one endpoint keeps idle connections for reuse. */
  readonly reuses: boolean;
  readonly #pools: readonly Pool[];
  readonly #timeouts: ConnectTimeouts;

  /** `pools`: not empty. */
  constructor(pools: readonly Pool[], timeouts: ConnectTimeouts) {
    this.#pools = pools;
    this.reuses = pools.some(({ endpoint }) => endpoint.pool.idle > 0);
    this.#timeouts = timeouts;
  }

  /** The Host of an HTTP/1.0 request that has none. It is the first endpoint's: the head is written before one is chosen. */
  get authority(): string {
    return this.#pools[0]?.endpoint.authority ?? '';
  }

  /** An idle connection to the first endpoint that is not ejected; null if it has none. `now` as for `Pool.take`. */
  take(user: UpstreamUser, now: number): UpstreamConnection | null {
    for (const pool of this.#pools) {
      // The only endpoint of a route is used even if it is ejected, which can happen if another route has several.
      if (!pool.ejected || this.#pools.length === 1) return pool.take(user, now);
    }
    return null;
  }

  /** Connects to the endpoints in turn, until one connection is open. */
  connect(user: FailoverUser): Failover {
    return new Failover(failoverSteps(this.#pools, this.#timeouts), user);
  }
}
