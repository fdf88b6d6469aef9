/** The state of the upstream endpoints, summed over all relay threads. */
import type { EndpointDelta, Ordered } from './endpoint-meter.ts';

/** The state of an endpoint in one thread, or the sum over several. */
type EndpointState = Pick<
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

export interface EndpointTotal extends EndpointState {
  readonly endpoint: string;
}

export class EndpointTotals {
  /** By thread, then by endpoint. */
  readonly #threads = new Map<number, Map<string, EndpointState>>();
  /** Since the start, including threads that ended. */
  readonly #ejections = new Map<string, number>();

  /** Stores the deltas of a thread; removes an endpoint that has no pool in that thread any more. */
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

  totals(): EndpointTotal[] {
    const sums = new Map<string, EndpointState>();
    for (const [endpoint, one] of [...this.#threads.values()].flatMap((thread) => [...thread])) {
      const other = sums.get(endpoint);
      sums.set(endpoint, other === undefined ? one : add(one, other));
    }
    return [...sums].map(([endpoint, sum]) => {
      return { ...sum, endpoint, ejections: this.#ejections.get(endpoint) ?? 0 };
    });
  }
}

function add(one: EndpointState, other: EndpointState): EndpointState {
  return {
    pools: one.pools + other.pools,
    ejected: one.ejected + other.ejected,
    idle: one.idle + other.idle,
    inUse: one.inUse + other.inUse,
    // The lowest limit of all threads.
    idleLimit: Math.min(one.idleLimit, other.idleLimit),
    ejections: one.ejections + other.ejections,
    lastFailure: later(one.lastFailure, other.lastFailure),
    lastCheck: later(one.lastCheck, other.lastCheck),
    lastMessageFailure: later(one.lastMessageFailure, other.lastMessageFailure),
  };
}

/** The one that happened last. */
export function later<One extends Ordered<object>, Other extends Ordered<object>>(
  one: One | null,
  other: Other | null,
): One | Other | null {
  if (one === null || other === null) return one ?? other;
  return one.order > other.order ? one : other;
}
