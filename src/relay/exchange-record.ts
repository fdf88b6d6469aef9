/** Records the end of an exchange in the metrics, the audit and the trace. */
import { messageLine, policiesJson } from '../audit/record.ts';
import { clientGone } from '../message/refusal-record.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { ExchangeFacts, Message } from './exchange-facts.ts';
import { recordSpans } from './exchange-spans.ts';

export function recordExchange(
  { recorder, caller }: { readonly recorder: Recorder; readonly caller: Caller },
  message: Message,
  facts: ExchangeFacts,
): void {
  const { head, route, requestId, traceId, span, startedAt, policies } = message;
  const { outcome, failure, status, upstreamMs } = facts;
  const totalMs = performance.now() - startedAt;
  const time = Date.now();
  const { meter } = route;
  meter.message(status ?? clientGone, totalMs, upstreamMs);
  // A delay that the client caused does not count. A client that left does: it may have left because of the delay.
  if (failure === null || failure.side !== 'client')
    meter.budget(totalMs, route.policy.budget, outcome === 'answered');
  if (facts.untyped) meter.untyped++;
  recorder.audit(
    messageLine({
      time,
      connId: caller.connId,
      requestId,
      traceId,
      route: route.policy.path,
      method: head.method,
      path: head.path,
      status,
      endpoint: facts.endpoint,
      upstreamReused: facts.upstreamReused,
      requestBytes: facts.requestBytes,
      responseBytes: facts.responseBytes,
      upstreamMs,
      totalMs,
      outcome,
      reason: failure === null ? null : failure.reason,
      policies: policies && policiesJson(policies),
    }),
  );
  if (span !== null) recordSpans({ recorder, caller }, { ...message, span }, facts, { time, totalMs });
}
