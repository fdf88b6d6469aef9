/** Measures whether the name resolves and whether its addresses accept TCP connections. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Target } from './target.ts';

export interface Resolution {
  readonly family: 4 | 6;
  readonly addresses: readonly string[];
  /** Of the resolver: `ENOTFOUND`; null: it answered. */
  readonly error: string | null;
  readonly ms: number;
}

export interface Connection {
  readonly address: string;
  /** `ECONNREFUSED`, or `timeout`; null: it connected. */
  readonly error: string | null;
  readonly ms: number;
}

export interface ReachFacts {
  /** Empty: the host is an address. */
  readonly resolutions: readonly Resolution[];
  readonly connections: readonly Connection[];
}

/** A name with more addresses is a large load balancer, whose addresses are alike. */
const maxAddresses = 8;

export async function measureReach(target: Target, timeoutMs: number): Promise<ReachFacts> {
  const { host, port } = target;
  const resolutions = isIP(host) === 0 ? await Promise.all([resolve(host, 4), resolve(host, 6)]) : [];
  const addresses = resolutions.length === 0 ? [host] : resolutions.flatMap(({ addresses }) => addresses);
  const connections: Connection[] = [];
  // One after the other, so that each time is that of one connection.
  for (const address of addresses.slice(0, maxAddresses))
    connections.push(await tryConnect({ address, port, timeoutMs }));
  return { resolutions, connections };
}

async function resolve(host: string, family: 4 | 6): Promise<Resolution> {
  const began = performance.now();
  const result = (addresses: readonly string[], error: string | null): Resolution => {
    return { family, addresses, error, ms: performance.now() - began };
  };
  try {
    const found = await lookup(host, { family, all: true });
    return result([...new Set(found.map(({ address }) => address))], null);
  } catch (error) {
    return result([], codeOf(error));
  }
}

function tryConnect(options: { address: string; port: number; timeoutMs: number }): Promise<Connection> {
  const { address, port, timeoutMs } = options;
  const began = performance.now();
  return new Promise((done) => {
    const socket = connect({ host: address, port });
    const finish = (error: string | null) => {
      socket.destroy();
      done({ address, error, ms: performance.now() - began });
    };
    socket.setTimeout(timeoutMs, () => finish('timeout'));
    socket.once('connect', () => finish(null));
    socket.once('error', (error) => finish(codeOf(error)));
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
