/** The server that is probed. */
import type { Deadline } from './deadline.ts';

export interface Endpoint {
  /** A name or an IP address: where the connection goes. */
  readonly host: string;
  readonly port: number;
  /** The server name to send (SNI, RFC 6066 §3); null: none. */
  readonly servername: string | null;
  /** Limit in milliseconds of each connection, from its start to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Limit of all connections together; default: none. */
  readonly deadline?: Deadline;
}
