/** The gauges of the relay threads, summed from the last report of each thread. */
import type { Gauges, MeterDelta } from './meter.ts';
import { noRoute } from './route-meter.ts';

interface ThreadState {
  readonly gauges: Gauges;
  /** Messages in flight by route. */
  readonly routes: Map<string, number>;
}

export class ThreadTotals {
  readonly #threads = new Map<number, ThreadState>();

  /** `gauges`: all current values of the thread. `deltas`: only the routes that changed. */
  merge(threadId: number, gauges: Gauges, deltas: MeterDelta['routes']): void {
    const routes = this.#threads.get(threadId)?.routes ?? new Map<string, number>();
    for (const { route, inFlight } of deltas) {
      if (route !== noRoute) routes.set(route, inFlight);
    }
    this.#threads.set(threadId, { gauges, routes });
  }

  threadGone(threadId: number): void {
    this.#threads.delete(threadId);
  }

  sum(gauge: Exclude<keyof Gauges, 'delay'>): number {
    return this.#each().reduce((sum, { gauges }) => sum + gauges[gauge], 0);
  }

  /** The last gauges of a thread; undefined: it has not reported any, because they are all 0. */
  of(threadId: number): Gauges | undefined {
    return this.#threads.get(threadId)?.gauges;
  }

  /** The loop delay of the most delayed thread, milliseconds. */
  delay(): number {
    return Math.max(0, ...this.#each().map(({ gauges }) => gauges.delay));
  }

  /** Messages in flight by route. */
  routes(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const [route, inFlight] of this.#each().flatMap(({ routes }) => [...routes])) {
      sums.set(route, (sums.get(route) ?? 0) + inFlight);
    }
    return sums;
  }

  #each(): ThreadState[] {
    return [...this.#threads.values()];
  }
}
