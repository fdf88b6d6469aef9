/** Finds the route of a path: the longest prefix of whole segments. The number of routes does not affect the cost. */
import { plainPath } from '../message/path-spelling.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { RouteMeter } from '../telemetry/route-meter.ts';
import type { Upstream } from '../upstream/route-endpoints.ts';
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
  /** Those with guards, by the plain form of their paths; null: no route has guards. */
  readonly #guarded: ReadonlyMap<string, Route> | null;

  #last: { readonly path: string; readonly route: Route | null } = { path: '', route: null };

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.policy.path, route]));
    const guarded = routes.filter(({ guards }) => guards !== null);
    this.#guarded =
      guarded.length === 0 ? null : new Map(guarded.map((route) => [plainPath(route.policy.path), route]));
  }

  /** `path`: a parsed request path, which begins with `/` and has no empty segment or dot segment. null: no route. */
  find(path: string): Route | null {
    const route = longest(this.#routes, path);
    if (this.#guarded === null) return route;
    // No spelling of a path that its host may not distinguish avoids what the route demands: `/%65hi`, `/ehi;x`, `/EHI`.
    const guarded = this.#findGuarded(this.#guarded, path);
    const isNearer = guarded !== null && guarded.policy.path.length > (route?.policy.path.length ?? 0);
    return isNearer ? guarded : route;
  }

  /** Senders use few paths: the last one is remembered. */
  #findGuarded(guarded: ReadonlyMap<string, Route>, path: string): Route | null {
    if (path !== this.#last.path) this.#last = { path, route: longest(guarded, plainPath(path)) };
    return this.#last.route;
  }
}

function longest(routes: ReadonlyMap<string, Route>, path: string): Route | null {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const route = routes.get(path.slice(0, end));
    if (route !== undefined) return route;
  }
  return routes.get('/') ?? null;
}
