/** Refuses a request that is not forwarded at all: records it, and makes the response. */
import { errorAnswer } from '../message/answer.ts';
import { messageRefusals, type RefusalName } from '../message/refusal.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import { recordRefusalSpan } from './spans.ts';

interface Refusal {
  readonly reason: RefusalName;
  readonly head: RequestHead | RefusedHead;
  readonly requestId: string;
  readonly tracer: Tracer | null;
}

/** Returns the response, after which the connection must be closed: the rest of the request is not read. */
export function refuse(
  client: { readonly recorder: Recorder; readonly caller: Caller },
  { reason, head, requestId, tracer }: Refusal,
): Buffer {
  const { status } = messageRefusals[reason];
  const traceId = tracer && recordRefusalSpan(client, tracer, { head, requestId, status, reason });
  const { connId } = client.caller;
  recordRefusal(client.recorder, { connId, requestId, traceId, status, reason, head });
  return errorAnswer({ status, requestId, close: true, bodyless: head.method === 'HEAD' });
}
