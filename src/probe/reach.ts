/** Whether a name resolves and an address accepts TCP connections, with the times. */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';

export interface Resolution {
  readonly family: 4 | 6;
  /** Without repetition, in the resolver's order. */
  readonly addresses: readonly string[];
  /** The resolver's code, such as `ENOTFOUND`, or `timeout`; null: it answered. */
  readonly error: string | null;
  readonly ms: number;
}

/** Both families, each with its time; empty: `host` is an address. Uses the hosts file as clients do. */
export async function resolveHost(options: {
  readonly host: string;
  readonly timeoutMs: number;
}): Promise<readonly Resolution[]> {
  if (isIP(options.host) !== 0) return [];
  return Promise.all([resolveFamily(options, 4), resolveFamily(options, 6)]);
}

async function resolveFamily(
  { host, timeoutMs }: { readonly host: string; readonly timeoutMs: number },
  family: 4 | 6,
): Promise<Resolution> {
  const began = performance.now();
  const result = (addresses: readonly string[], error: string | null): Resolution => {
    return { family, addresses, error, ms: performance.now() - began };
  };
  const { promise: late, resolve } = Promise.withResolvers<Resolution>();
  const timer = setTimeout(() => resolve(result([], 'timeout')), timeoutMs);
  const found = lookup(host, { family, all: true }).then(
    (entries) => result([...new Set(entries.map(({ address }) => address))], null),
    (error) => result([], codeOf(error)),
  );
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

export interface TcpConnection {
  readonly address: string;
  /** `ECONNREFUSED`, or `timeout`; null: it connected. */
  readonly error: string | null;
  readonly ms: number;
}

/** Connects and closes. */
export function connectTcp(options: {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}): Promise<TcpConnection> {
  const { address, port, timeoutMs } = options;
  const began = performance.now();
  return new Promise((done) => {
    const socket = connect({ host: address, port });
    const finish = (error: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      done({ address, error, ms: performance.now() - began });
    };
    const timer = setTimeout(() => finish('timeout'), timeoutMs);
    socket.once('connect', () => finish(null));
    socket.on('error', (error) => finish(codeOf(error)));
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
