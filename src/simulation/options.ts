/** What a simulation does: the endpoint, the messages, and their times. */

import type { Target } from './endpoint.ts';
import type { MessageSource } from './messages.ts';
import type { SenderOptions } from './sender.ts';

export interface SimulationOptions extends SenderOptions {
  readonly target: Target;
  readonly source: MessageSource;
  /** Keep connections; else one for each message. */
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  /** Milliseconds; see attempt.ts. */
  readonly timeout: number;
  readonly lateWait: number;
  readonly maxConnections: number;
}
