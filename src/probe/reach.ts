/** Whether a name resolves and an address accepts TCP connections, with the times. */

export interface Resolution {
  readonly family: 4 | 6;
  readonly addresses: readonly string[];
  /** The resolver's code, such as `ENOTFOUND`; null: it answered. */
  readonly error: string | null;
  readonly ms: number;
}

/** Both families, each with its time; empty: `host` is an address. */
export function resolveHost(options: { host: string; timeoutMs: number }): Promise<readonly Resolution[]> {
  throw new Error(`not built: ${options.host}`);
}

export interface TcpConnection {
  readonly address: string;
  /** `ECONNREFUSED`, or `timeout`; null: it connected. */
  readonly error: string | null;
  readonly ms: number;
}

/** Connects and closes. */
export function connectTcp(options: {
  address: string;
  port: number;
  timeoutMs: number;
}): Promise<TcpConnection> {
  throw new Error(`not built: ${options.address}`);
}
