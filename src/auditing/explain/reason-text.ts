/** What a reason of an audit record means, from the tables of reasons. */
import { failureReasons } from '../../handshake/failure-reasons.ts';
import { denyReasons } from '../../identity/deny-reasons.ts';
import { messageRefusals, upstreamFailures } from '../../message/message-reasons.ts';

export interface ReasonText {
  /** What happened: a clause without a full stop. */
  readonly says: string;
  readonly cause: string | null;
  /** What to do on which side; null: nothing, or the table does not say it. */
  readonly client: string | null;
  readonly gateway: string | null;
  /** The sentences that the gateway adds to the detail of a record. */
  readonly advice: string;
}

/** The tables of connections; a message that was refused with its connection has a reason of these too. */
const connectionReasons: Readonly<Record<string, ReasonText>> = { ...failureReasons, ...denyReasons };
const messageReasons: Readonly<Record<string, { readonly says: string }>> = {
  ...messageRefusals,
  ...upstreamFailures,
};

/** null: the reason is of another version of the gateway. */
export function connectionReason(reason: string): ReasonText | null {
  return own(connectionReasons, reason);
}

/** null: likewise. */
export function messageReason(reason: string): ReasonText | null {
  const says = own(messageReasons, reason)?.says;
  if (says === undefined) return connectionReason(reason);
  return { says, cause: null, client: null, gateway: null, advice: '' };
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}
