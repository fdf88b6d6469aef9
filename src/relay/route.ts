/** Which route a path belongs to: whole segments, the longest wins, at the same cost for one route and a thousand. */
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { RouteMeter } from '../telemetry/route-meter.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface Route {
  readonly policy: RoutePolicy;
  readonly upstream: Upstream;
  /** Outlives this object: a reload makes the routes anew, and what is under way still counts. */
  readonly meter: RouteMeter;
}

export class RouteTable {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.policy.path, route]));
  }

  /** `path` is a parsed request path: it begins with `/` and has no empty or dot segments. */
  find(path: string): Route | null {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const route = this.#routes.get(path.slice(0, end));
      if (route !== undefined) return route;
    }
    return this.#routes.get('/') ?? null;
  }
}
