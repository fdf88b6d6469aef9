/** How the upstream endpoints stand, over all relay threads. */
import type { EndpointDelta } from './endpoint-meter.ts';

type Standing = Pick<
  EndpointDelta,
  | 'pools'
  | 'ejected'
  | 'idle'
  | 'inUse'
  | 'idleLimit'
  | 'ejections'
  | 'lastFailure'
  | 'lastCheck'
  | 'lastMessageFailure'
>;

export interface EndpointStanding extends Standing {
  readonly endpoint: string;
}

export class EndpointGauges {
  /** By thread, then by endpoint. */
  readonly #threads = new Map<number, Map<string, Standing>>();
  /** Since the start, of threads that are gone too. */
  readonly #ejections = new Map<string, number>();

  /** What changed in a thread; an endpoint that has no pool there any more is forgotten. */
  merge(threadId: number, deltas: readonly EndpointDelta[]): void {
    let endpoints = this.#threads.get(threadId);
    if (endpoints === undefined) {
      endpoints = new Map();
      this.#threads.set(threadId, endpoints);
    }
    for (const delta of deltas) {
      const { endpoint, pools, ejections } = delta;
      this.#ejections.set(endpoint, (this.#ejections.get(endpoint) ?? 0) + ejections);
      if (pools > 0) endpoints.set(endpoint, delta);
      else endpoints.delete(endpoint);
    }
  }

  threadGone(threadId: number): void {
    this.#threads.delete(threadId);
  }

  standing(): EndpointStanding[] {
    const sums = new Map<string, Standing>();
    for (const [endpoint, one] of [...this.#threads.values()].flatMap((thread) => [...thread])) {
      const other = sums.get(endpoint);
      sums.set(endpoint, other === undefined ? one : together(one, other));
    }
    return [...sums].map(([endpoint, sum]) => {
      return { ...sum, endpoint, ejections: this.#ejections.get(endpoint) ?? 0 };
    });
  }
}

function together(one: Standing, other: Standing): Standing {
  return {
    pools: one.pools + other.pools,
    ejected: one.ejected + other.ejected,
    idle: one.idle + other.idle,
    inUse: one.inUse + other.inUse,
    // What the most careful of them does.
    idleLimit: Math.min(one.idleLimit, other.idleLimit),
    ejections: one.ejections + other.ejections,
    lastFailure: later(one.lastFailure, other.lastFailure),
    lastCheck: later(one.lastCheck, other.lastCheck),
    lastMessageFailure: later(one.lastMessageFailure, other.lastMessageFailure),
  };
}

function later<T extends { readonly at: number }>(one: T | null, other: T | null): T | null {
  if (one === null || other === null) return one ?? other;
  return one.at > other.at ? one : other;
}
