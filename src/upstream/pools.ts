/** One pool an endpoint, whatever routes and snapshots name it: its connections and its state outlive a change of policy. */
import type { EndpointPolicy, PolicySnapshot } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Pool } from './pool.ts';
import { Upstream } from './upstream.ts';

export class Pools {
  readonly #recorder: Recorder;
  #pools = new Map<string, Pool>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The upstreams of the routes, in their order. Endpoints that none of them names, or names otherwise, are closed. */
  update({ routes, timeouts }: Pick<PolicySnapshot, 'routes' | 'timeouts'>): Upstream[] {
    const pools = new Map<string, Pool>();
    const ejectable = new Set<Pool>();
    const upstreams = routes.map(({ endpoints }) => {
      const several = endpoints.map((endpoint) => this.#of(endpoint, pools));
      if (several.length > 1) for (const pool of several) ejectable.add(pool);
      return new Upstream(several, timeouts);
    });
    for (const [key, pool] of this.#pools) if (!pools.has(key)) pool.close();
    this.#pools = pools;
    for (const pool of pools.values()) {
      pool.use({ ejectable: ejectable.has(pool), connectFirst: timeouts.connectFirst });
    }
    return upstreams;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }

  /** Everything of an endpoint is its key, TLS material included: what changed is not the same endpoint. */
  #of(endpoint: EndpointPolicy, pools: Map<string, Pool>): Pool {
    const key = JSON.stringify(endpoint);
    const known = pools.get(key) ?? this.#pools.get(key);
    const pool = known ?? new Pool({ endpoint, recorder: this.#recorder });
    pools.set(key, pool);
    return pool;
  }
}
