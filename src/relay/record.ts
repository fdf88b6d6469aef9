/** The end of an exchange, in the metrics, the audit and the trace. */
import { messageLine } from '../audit/record.ts';
import { isRefusal } from '../message/message-reasons.ts';
import type { RequestHead } from '../message/request.ts';
import type { SpanContext } from '../message/trace-context.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { Route } from './route.ts';
import { recordSpans } from './spans.ts';

/** One message, from its complete head to its audit record. */
export interface Message {
  readonly head: RequestHead;
  readonly route: Route;
  readonly requestId: string;
  readonly traceId: string;
  /** null: it is not sampled. */
  readonly span: SpanContext | null;
  /** The fields that the gateway adds, each with its CRLF. */
  readonly added: string;
  /** performance.now() when the head was complete. */
  readonly startedAt: number;
}

export type Outcome = 'answered' | 'denied' | 'failed' | 'cut' | 'client_gone';

export interface ExchangeFacts {
  readonly outcome: Outcome;
  /** From the tables of message refusals and upstream failures; null: `answered` and `client_gone`. */
  readonly reason: string | null;
  /** What the client got; null: it got none. */
  readonly status: number | null;
  /** The one whose connection carried it; null: none could be connected to. */
  readonly endpoint: string | null;
  /** That connection had waited for it; null as above. */
  readonly upstreamReused: boolean | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** performance.now() when the host was first reached for. */
  readonly askedAt: number;
  readonly upstreamMs: number;
  /** The host's answer had a body and no Content-Type. */
  readonly untyped: boolean;
}

/** nginx's code for a client that left before its answer, for the metric only. */
const clientGone = 499;

export function recordExchange(
  { recorder, caller }: { readonly recorder: Recorder; readonly caller: Caller },
  message: Message,
  facts: ExchangeFacts,
): void {
  const { head, route, requestId, traceId, span, startedAt } = message;
  const { outcome, status, upstreamMs } = facts;
  const totalMs = performance.now() - startedAt;
  const time = Date.now();
  const { meter } = route;
  meter.message(status ?? clientGone, totalMs, upstreamMs);
  // Nobody else is late where the client is to blame; one that left may have left because it waited too long.
  if (facts.reason === null || !isRefusal(facts.reason))
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
      reason: facts.reason,
    }),
  );
  if (span !== null) recordSpans({ recorder, caller }, { ...message, span }, facts, { time, totalMs });
}
