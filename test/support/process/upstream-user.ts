/** Users of upstream connections for tests, and the connection that a pool opens for them. */
import type { UpstreamConnection } from '../../../src/upstream/connection.ts';
import type { UpstreamUser } from '../../../src/upstream/connection-roles.ts';
import type { Pool } from '../../../src/upstream/pool.ts';

/** A user that ignores everything but the end of its connection, at which `onLost` is called. */
export function silentUser(onLost = () => {}): UpstreamUser {
  return {
    onUpstreamBytes: () => {},
    onUpstreamDrain: () => {},
    onUpstreamEnd: onLost,
    onUpstreamLost: onLost,
  };
}

/** Rejects with the reason and the cause of the failure. `timeout`: milliseconds. */
export function connectTo(pool: Pool, timeout = 10_000): Promise<UpstreamConnection> {
  return new Promise((onOpen, reject) => {
    const onOpenFailed = ({ why, cause }: { why: string; cause: string }) =>
      reject(new Error(`${why} ${cause}`));
    pool.connect({ timeout }, { onOpen, onOpenFailed });
  });
}
