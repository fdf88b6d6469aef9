/** The client's side of an exchange, as the host's side uses it. */
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { ClientAccount } from './client-accounts.ts';

export interface ExchangeClient {
  readonly caller: Caller;
  /** Shared by the connections of one client. */
  readonly account: ClientAccount;
  /** Made once for a connection, when the first endpoint needs it. */
  readonly proxyHeader: Buffer;
  readonly limits: Limits;
  readonly recorder: Recorder;
  /** The connection must be closed after the current response. */
  readonly lastExchange: boolean;
  /** The client does not read its responses: the write buffer is full. */
  readonly backedUp: boolean;
  /** False: wait for the client's drain before more is sent. */
  send(bytes: Buffer): boolean;
  /** The host cannot take more of the request now; `resumeRequest` follows. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** The response was sent completely. `close`: the connection ends. */
  exchangeDone(close: boolean): void;
  /** The response ended early: resets the connection, so that the response cannot pass for complete. */
  cut(): void;
}
