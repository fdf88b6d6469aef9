/** The relay threads' gauges: each thread's as it told them last, put together. */
import type { Gauges, MeterDelta } from './meter.ts';
import { noRoute } from './route-meter.ts';

interface Standing {
  readonly gauges: Gauges;
  /** Messages under way by route. */
  readonly routes: Map<string, number>;
}

export class ThreadGauges {
  readonly #threads = new Map<number, Standing>();

  /** A thread's gauges are all told anew; of its routes only those that changed. */
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

  /** The longest of the threads' loop delays, milliseconds. */
  delay(): number {
    return Math.max(0, ...this.#each().map(({ gauges }) => gauges.delay));
  }

  /** Messages under way by route. */
  routes(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const [route, inFlight] of this.#each().flatMap(({ routes }) => [...routes])) {
      sums.set(route, (sums.get(route) ?? 0) + inFlight);
    }
    return sums;
  }

  #each(): Standing[] {
    return [...this.#threads.values()];
  }
}
