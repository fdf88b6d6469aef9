/** Writes the audit record and the metrics of a request that was refused, not forwarded. */
import { messageLine } from '../audit/record.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { noRoute } from '../telemetry/route-meter.ts';
import type { RefusedHead, RequestHead } from './request.ts';
import { readTraceId } from './trace-context.ts';

interface RefusalFacts {
  readonly connId: string;
  readonly requestId: string;
  /** Id of the trace that the gateway began or continued; absent or null: that of the client's traceparent, if valid. */
  readonly traceId?: string | null;
  readonly status: number;
  /** A name of `messageRefusals` or `denyReasons`. */
  readonly reason: string;
  readonly head: RequestHead | RefusedHead;
  /** `path` of the matched route; null or absent: none was matched. */
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
