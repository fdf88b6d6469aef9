/** The parties around an upstream connection: its opener, its user, and the pool that owns it. */
import type { EndpointPolicy } from '../policy/snapshot.ts';
import type { ConnectFailure, UpstreamLoss } from './connect-failure.ts';

/** Carries a message or a health check over a connection. */
export interface UpstreamUser {
  /** Bytes 0 to `end`. The buffer is reused after the call: copy what must be kept. */
  onUpstreamBytes(bytes: Buffer, end: number): void;
  /** The write buffer is empty: more may be written. */
  onUpstreamDrain(): void;
  /** The host sent FIN. */
  onUpstreamEnd(): void;
  /** The connection ended without FIN, or with a TLS alert. `cause`: the system's or OpenSSL's code. */
  onUpstreamLost(why: UpstreamLoss, cause: string): void;
}

/** Exactly one of the two methods is called, after the call that began the attempt has returned. */
export interface Opener<Connection> {
  onOpen(connection: Connection): void;
  onOpenFailed(failure: ConnectFailure): void;
}

export type ConnectionStage = 'connecting' | 'securing' | 'used' | 'idle' | 'gone';

/** Where a connection reports what happens to it. */
export interface ConnectionEvents {
  /** Called on every change except from `connecting` to `securing`. */
  stageChanged(from: ConnectionStage, to: ConnectionStage): void;
  /** The host accepted the gateway's certificate, or the TCP connection where there is no TLS. */
  accepted(): void;
  /** The connection could not be made, or the host refused the gateway's certificate after the handshake. */
  connectFailed(failure: ConnectFailure): void;
  /** The host closed the connection after it was idle for `idleMs`. */
  closedWhileIdle(idleMs: number): void;
}

/** The pool, as the user of one of its connections needs it. */
export interface ConnectionPool<Connection> {
  readonly endpoint: EndpointPolicy;
  /**
   * Takes back a connection whose response is complete. `announced`: seconds for which the host keeps it open
   * (Keep-Alive: timeout), -1 if it did not say; null: the connection cannot be reused.
   */
  release(connection: Connection, announced: number | null): void;
  /** Closes the idle connection that is reserved for `user`, if there is one. */
  closeReserved(user: UpstreamUser): void;
  /** A message failed because of the host, on a connection of this pool. `reason`: from the upstream failures. */
  messageFailed(reason: string, cause: string): void;
}
