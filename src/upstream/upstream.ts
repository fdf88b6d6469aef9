/** A route's endpoints in their order: a message goes to the first that is connected, and to no other after it. */
import { ResponseHeadCache } from '../message/head-reader.ts';
import type { Timeouts } from '../policy/snapshot.ts';
import type { UpstreamConnection, UpstreamUser } from './connection.ts';
import { Dial, type DialUser } from './dial.ts';
import type { Pool } from './pool.ts';

type ConnectTimeouts = Pick<Timeouts, 'connect' | 'connectFirst'>;

export class Upstream {
  readonly headCache = new ResponseHeadCache();
  /** A connection to one of the endpoints may be used again. */
  readonly reuses: boolean;
  readonly #pools: readonly Pool[];
  readonly #timeouts: ConnectTimeouts;

  /** `pools`: not empty. */
  constructor(pools: readonly Pool[], timeouts: ConnectTimeouts) {
    this.#pools = pools;
    this.reuses = pools.some(({ endpoint }) => endpoint.pool.idle > 0);
    this.#timeouts = timeouts;
  }

  /** What an HTTP/1.0 request without Host gets as Host: it must be written before an endpoint is known. */
  get authority(): string {
    return this.#pools[0]?.endpoint.authority ?? '';
  }

  /** A warm connection to the first endpoint that is not passed over; null: it has none. `now` as for `Pool.take`. */
  take(user: UpstreamUser, now: number): UpstreamConnection | null {
    for (const pool of this.#pools) {
      // The only one of a route is never passed over.
      if (!pool.ejected || this.#pools.length === 1) return pool.take(user, now);
    }
    return null;
  }

  /** Reaches for the endpoints one after another. */
  dial(user: DialUser): Dial {
    const { connect, connectFirst } = this.#timeouts;
    const sound = this.#pools.filter(({ ejected }) => !ejected);
    // Those that are passed over come last: trying them is better than giving up.
    const order = [...sound, ...this.#pools.filter(({ ejected }) => ejected)];
    const last = sound.length > 0 ? sound.length - 1 : order.length - 1;
    const steps = order.map((pool, index) => ({ pool, budget: index === last ? connect : connectFirst }));
    return new Dial(steps, user);
  }
}
