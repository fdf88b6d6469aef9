/** Users of upstream connections for tests, and the connection that a pool opens for them. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
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

export interface RecordingUser extends UpstreamUser {
  /** Such as `bytes abc`, `end` or `lost closed_early`. */
  readonly calls: string[];
  /** Resolves once this call was made. */
  until(call: string): Promise<void>;
}

export function recordingUser(): RecordingUser {
  const calls: string[] = [];
  const events = new EventTarget();
  const record = (call: string) => {
    calls.push(call);
    events.dispatchEvent(new Event(call));
  };
  return {
    calls,
    until: async (call) => {
      if (!calls.includes(call)) await once(events, call);
    },
    onUpstreamBytes: (bytes, end) => record(`bytes ${bytes.toString('latin1', 0, end)}`),
    onUpstreamDrain: () => record('drain'),
    onUpstreamEnd: () => record('end'),
    onUpstreamLost: (why) => record(`lost ${why}`),
  };
}

/** A connection of `user`, and the host's socket. */
export async function openTo(
  server: Server,
  pool: Pool,
  user: UpstreamUser,
): Promise<{ connection: UpstreamConnection; socket: Socket }> {
  const accepted = once(server, 'connection');
  const connection = await connectTo(pool);
  connection.assign(user);
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => {});
  return { connection, socket };
}
