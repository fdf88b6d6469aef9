/** Writes the audit record and the metrics of a request that was not forwarded. */
import { messageLine, type PolicyFacts, policiesJson } from '../audit/record.ts';
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
  /** What the guards of the route found; null or absent: it has none. */
  readonly policies?: PolicyFacts | null;
}

export function recordRefusal(recorder: Recorder, facts: RefusalFacts): void {
  record(recorder, { ...facts, outcome: 'denied' });
}

/** nginx's status for a client that left before its response; only for the metric. */
export const clientGone = 499;

/** The client left before its request was forwarded or refused. */
export function recordDeparture(recorder: Recorder, facts: Omit<RefusalFacts, 'status' | 'reason'>): void {
  record(recorder, { ...facts, status: null, reason: null, outcome: 'client_gone' });
}

interface UnforwardedFacts extends Omit<RefusalFacts, 'status' | 'reason'> {
  readonly status: number | null;
  readonly reason: string | null;
  readonly outcome: 'denied' | 'client_gone';
}

function record(recorder: Recorder, { route = null, policies = null, ...facts }: UnforwardedFacts): void {
  const status = facts.status ?? clientGone;
  recorder.meter.route(route ?? noRoute).message(status, Number.NaN, Number.NaN);
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
      outcome: facts.outcome,
      reason: facts.reason,
      policies: policies && policiesJson(policies),
    }),
  );
}
