/** Finds the route of a path: the longest prefix of whole segments. The number of routes does not affect the cost. */
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { RouteMeter } from '../telemetry/route-meter.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { MessageGuards } from './message-guards.ts';

export interface Route {
  readonly policy: RoutePolicy;
  readonly upstream: Upstream;
  /** null: the route has neither `bearer` nor `signature`. */
  readonly guards: MessageGuards | null;
  /** Outlives a reload, which makes new routes: messages in flight still count. */
  readonly meter: RouteMeter;
}

export class RouteTable {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.policy.path, route]));
  }

  /** `path`: a parsed request path, which begins with `/` and has no empty segment or dot segment. null: no route. */
  find(path: string): Route | null {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const route = this.#routes.get(path.slice(0, end));
      if (route !== undefined) return route;
    }
    return this.#routes.get('/') ?? null;
  }
}
