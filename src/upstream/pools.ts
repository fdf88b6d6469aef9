/** One pool for each endpoint, shared by all routes that name it. A pool outlives a change of policy. */
import type { EndpointPolicy, PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Pool } from './pool.ts';
import { Upstream } from './route-endpoints.ts';

export class Pools {
  readonly #recorder: Recorder;
  #pools = new Map<string, Pool>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Returns the upstreams of the routes, in order. Closes the pools of endpoints that no route names any more. */
  update({ routes, timeouts }: Pick<PolicySnapshot, 'routes' | 'timeouts'>): Upstream[] {
    const pools = new Map<string, Pool>();
    const ejectable = new Set<Pool>();
    const upstreams = routes.map(({ endpoints }) => {
      const several = endpoints.map((endpoint) => this.#poolOf(endpoint, pools));
      if (several.length > 1) for (const pool of several) ejectable.add(pool);
      return new Upstream(several, timeouts);
    });
    for (const [key, pool] of this.#pools) if (!pools.has(key)) pool.close();
    this.#pools = pools;
    for (const pool of pools.values()) {
      pool.configure({ ejectable: ejectable.has(pool), connectFirst: timeouts.connectFirst });
    }
    return upstreams;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  /** The key is the whole policy of an endpoint, TLS material included: an endpoint that changed is another one. */
  #poolOf(endpoint: EndpointPolicy, pools: Map<string, Pool>): Pool {
    const key = JSON.stringify(endpoint);
    const known = pools.get(key) ?? this.#pools.get(key);
    const pool = known ?? new Pool({ endpoint, recorder: this.#recorder });
    pools.set(key, pool);
    return pool;
  }
}
