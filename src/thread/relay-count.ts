/** Decides how many relay threads start: `relays: auto` is bounded by the CPU cores and by the memory of the process. */

const MIB = 1024 * 1024;

/**
 * Memory of the process under load, bytes, as measured: helm/ehi-gateway/README.md, Resources. The chart has the same figures in
 * templates/_checks.tpl, docs/operations.md states them; test/thread/relay-count.test.ts compares.
 */
export const memoryNeed = {
  /** The process with its first relay thread and few connections. */
  firstThread: 160 * MIB,
  /** Each further relay thread with few connections. */
  furtherThread: 36 * MIB,
  /** Each open client connection, after a message. */
  connection: 64 * 1024,
};

/** The maximum of `relays`. */
export const MAX_RELAYS = 256;

/** What the machine, or the container, offers the process. */
export interface MachineResources {
  /** CPU cores that the process may use. */
  readonly cores: number;
  /** Memory that the process may use, bytes. */
  readonly memory: number;
  /** Whether several threads can listen on one port. */
  readonly sharesPort: boolean;
}

/**
 * Why there are not more relay threads. `configured`: `relays` is a number. `memory`: more threads, each with
 * `limits.connections` connections, may need more memory than there is. `platform`: threads cannot share a port here.
 */
export type RelayBound = 'configured' | 'cores' | 'memory' | 'platform' | 'maximum';

export interface RelayCount {
  readonly relays: number;
  readonly bound: RelayBound;
  /** The memory that these threads need when each has `limits.connections` connections, bytes. */
  readonly memoryNeeded: number;
}

/** `connections`: `limits.connections`, which applies to each thread. */
export function countRelays(
  wanted: number | 'auto',
  { cores, memory, sharesPort, connections }: MachineResources & { readonly connections: number },
): RelayCount {
  const decided = (relays: number, bound: RelayBound): RelayCount => ({
    relays,
    bound,
    memoryNeeded: memoryNeeded(relays, connections),
  });
  if (wanted !== 'auto') return decided(wanted, 'configured');
  if (!sharesPort) return decided(1, 'platform');
  const relays = Math.max(1, Math.min(cores, MAX_RELAYS, threadsThatFit(memory, connections)));
  if (relays === cores) return decided(relays, 'cores');
  return decided(relays, relays === MAX_RELAYS ? 'maximum' : 'memory');
}

function memoryNeeded(relays: number, connections: number): number {
  const { firstThread, furtherThread, connection } = memoryNeed;
  return firstThread + (relays - 1) * furtherThread + relays * connections * connection;
}

/** The largest number of threads whose `memoryNeeded` is not above `memory`; below 1 if one does not fit. */
function threadsThatFit(memory: number, connections: number): number {
  const { firstThread, furtherThread, connection } = memoryNeed;
  return Math.floor((memory - firstThread + furtherThread) / (furtherThread + connections * connection));
}
