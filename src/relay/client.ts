/** The client's half of an exchange, as the host's half sees it. */
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { ClientAccount } from './client-accounts.ts';

export interface ExchangeClient {
  readonly caller: Caller;
  /** Shared by the connections of one client. */
  readonly account: ClientAccount;
  /** Made once a connection, when the first endpoint asks for it. */
  readonly proxyHeader: Buffer;
  readonly limits: Limits;
  readonly recorder: Recorder;
  /** The connection must end after the answer at hand. */
  readonly lastExchange: boolean;
  /** It does not take what was sent so far. */
  readonly backedUp: boolean;
  /** False: wait for the client's drain before more is sent. */
  send(bytes: Buffer): boolean;
  /** The host cannot take more of the request now; `resumeRequest` follows. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** The answer is complete and has left. */
  exchangeDone(close: boolean): void;
  /** The answer ended in the middle: the connection is reset, so that nobody takes it for complete. */
  cut(): void;
}
