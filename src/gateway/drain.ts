/** Ends the connections of a relay thread after SIGTERM (`timeouts.drainDelay`, `timeouts.drain`). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from '../handshake/listener.ts';
import type { Timeouts } from '../policy/snapshot.ts';
import type { Downstream } from '../relay/downstream.ts';

/** Time for the last responses to be sent, ms. */
const ABORT_GRACE_MS = 500;

interface DrainOptions {
  readonly timeouts: Pick<Timeouts, 'drainDelay' | 'drain'>;
  readonly listener: Pick<Listener, 'close' | 'empty' | 'abort'>;
  /** The connections that are open at the time of the call. */
  readonly downstreams: () => readonly Downstream[];
  /** From now on no connection is accepted. */
  readonly onRefusing: () => void;
}

/**
 * Accepts connections for another `drainDelay` and closes each one after its next response. Then stops accepting, closes
 * idle connections, and aborts exchanges that have not ended after `drain`. Resolves when all connections are closed.
 */
export async function drainConnections(options: DrainOptions): Promise<void> {
  const { listener, downstreams, onRefusing } = options;
  const { drainDelay, drain } = options.timeouts;
  if (drainDelay > 0) {
    for (const downstream of downstreams()) downstream.drain({ now: false });
    await sleep(drainDelay);
  }
  // Before the first connection is closed: its client may reconnect at once, and a connection that waits to be accepted
  // when the port is closed is reset.
  onRefusing();
  listener.close();
  for (const downstream of downstreams()) downstream.drain({ now: true });
  await Promise.race([listener.empty(), sleep(drain, undefined, { ref: false })]);
  for (const downstream of downstreams()) downstream.abort();
  await Promise.race([listener.empty(), sleep(ABORT_GRACE_MS, undefined, { ref: false })]);
  listener.abort();
  await listener.empty();
}
