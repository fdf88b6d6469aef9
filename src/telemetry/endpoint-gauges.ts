/** How the upstream endpoints stand, over all relay threads. */
import type { EndpointDelta } from './endpoint-meter.ts';

type Standing = Pick<EndpointDelta, 'pools' | 'ejected' | 'idle' | 'inUse'>;

interface EndpointStanding {
  readonly endpoint: string;
  /** The share of its pools that use it. */
  readonly up: number;
  readonly idle: number;
  readonly inUse: number;
}

export class EndpointGauges {
  /** By thread, then by endpoint. */
  readonly #threads = new Map<number, Map<string, Standing>>();

  /** What changed in a thread; an endpoint that has no pool there any more is forgotten. */
  merge(threadId: number, deltas: readonly EndpointDelta[]): void {
    let endpoints = this.#threads.get(threadId);
    if (endpoints === undefined) {
      endpoints = new Map();
      this.#threads.set(threadId, endpoints);
    }
    for (const delta of deltas) {
      if (delta.pools > 0) endpoints.set(delta.endpoint, delta);
      else endpoints.delete(delta.endpoint);
    }
  }

  threadGone(threadId: number): void {
    this.#threads.delete(threadId);
  }

  standing(): EndpointStanding[] {
    const sums = new Map<string, { pools: number; ejected: number; idle: number; inUse: number }>();
    for (const [endpoint, standing] of [...this.#threads.values()].flatMap((thread) => [...thread])) {
      const sum = sums.get(endpoint) ?? { pools: 0, ejected: 0, idle: 0, inUse: 0 };
      sum.pools += standing.pools;
      sum.ejected += standing.ejected;
      sum.idle += standing.idle;
      sum.inUse += standing.inUse;
      sums.set(endpoint, sum);
    }
    return [...sums].map(([endpoint, { pools, ejected, idle, inUse }]) => {
      return { endpoint, up: (pools - ejected) / pools, idle, inUse };
    });
  }
}
