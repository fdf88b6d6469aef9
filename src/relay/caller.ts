/** The client of a connection: the permit and the address under which its messages are forwarded. */
import type { ClientPermit } from '../identity/authorize.ts';

export interface Caller {
  readonly connId: string;
  readonly permit: ClientPermit;
  /** The source address, as text. */
  readonly address: string;
  /** The source port; null: unknown. */
  readonly port: number | null;
}
