/** One pool an endpoint, whatever routes and snapshots name it: warm connections outlive a change of policy. */
import type { Endpoint } from './connection.ts';
import { Pool } from './pool.ts';

export class Pools {
  readonly #pools = new Map<string, Pool>();

  of(endpoint: Endpoint): Pool {
    const { host, port, connectTimeout } = endpoint;
    const key = `${host} ${port} ${connectTimeout}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool({ host, port, connectTimeout });
      this.#pools.set(key, pool);
    }
    return pool;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}
