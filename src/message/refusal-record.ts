/** The record of a request that was not sent on. */
import { messageLine } from '../audit/record.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { noRoute } from '../telemetry/route-meter.ts';
import type { RefusedHead, RequestHead } from './request.ts';
import { readTraceId } from './trace-context.ts';

interface RefusalFacts {
  readonly connId: string;
  readonly requestId: string;
  /** The trace that the gateway has told of it; absent or null: the client's own, if there is one. */
  readonly traceId?: string | null;
  readonly status: number;
  /** From the tables of message refusals and deny reasons. */
  readonly reason: string;
  readonly head: RequestHead | RefusedHead;
  /** The path of the one that was chosen; by default none was. */
  readonly route?: string | null;
}

export function recordRefusal(recorder: Recorder, { route = null, ...facts }: RefusalFacts): void {
  recorder.meter.route(route ?? noRoute).message(facts.status, Number.NaN, Number.NaN);
  recorder.audit(
    messageLine({
      time: Date.now(),
      connId: facts.connId,
      requestId: facts.requestId,
      traceId: facts.traceId ?? (facts.head.kind === 'request' ? readTraceId(facts.head.traceparent) : null),
      route,
      method: facts.head.method,
      path: facts.head.path,
      status: facts.status,
      endpoint: null,
      upstreamReused: null,
      requestBytes: 0,
      responseBytes: 0,
      upstreamMs: Number.NaN,
      totalMs: Number.NaN,
      outcome: 'denied',
      reason: facts.reason,
    }),
  );
}
