/** The spans of a message, by OpenTelemetry's semantic conventions for HTTP, as far as nothing of the client's is told. */
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { SpanContext } from '../message/trace-context.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { type Attribute, spanJson } from '../tracing/otlp-json.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import type { ExchangeFacts, Message } from './record.ts';

interface Client {
  readonly recorder: Recorder;
  readonly caller: Caller;
}

/** `ended`: the message's whole time, and the time of day at its end, in milliseconds. */
export function recordSpans(
  { recorder, caller }: Client,
  message: Message & { readonly span: SpanContext },
  facts: ExchangeFacts,
  ended: { readonly time: number; readonly totalMs: number },
): void {
  const { head, route, requestId, traceId, span } = message;
  const startMs = ended.time - ended.totalMs;
  const askedMs = startMs + facts.askedAt - message.startedAt;
  const { status, endpoint, outcome } = facts;
  const reason = facts.reason ?? (outcome === 'client_gone' ? outcome : null);
  // The gateway's own errors, and refusals, are not what the host answered.
  const hostStatus = outcome === 'failed' || outcome === 'denied' ? null : status;
  recorder.span(
    serverSpan({
      ...{ caller, head, requestId, traceId, span, status, reason, startMs },
      route: route.policy.path,
      endMs: ended.time,
      failed: outcome === 'cut' || outcome === 'client_gone' || isError(status, 500),
    }),
  );
  recorder.span(
    spanJson({
      traceId,
      id: span.client,
      parent: { id: span.server, remote: false },
      flags: span.flags,
      kind: 'client',
      name: head.method,
      startMs: askedMs,
      endMs: Number.isNaN(facts.upstreamMs) ? ended.time : askedMs + facts.upstreamMs,
      failed: reason !== null || isError(hostStatus, 400),
      attributes: [
        ['http.request.method', head.method],
        ...placeOf(route.policy, endpoint),
        ['http.response.status_code', hostStatus],
        ['network.protocol.version', '1.1'],
        ['error.type', reason ?? errorOf(hostStatus, 400)],
      ],
    }),
  );
}

interface RefusalFacts {
  readonly head: RequestHead | RefusedHead;
  readonly requestId: string;
  readonly status: number;
  readonly reason: string;
}

/** A request that was read and is not sent on; its trace, or null where it is not sampled. */
export function recordRefusalSpan(
  { recorder, caller }: Client,
  tracer: Tracer,
  { head, ...facts }: RefusalFacts,
): string | null {
  if (head.kind !== 'request') return null;
  const { id: traceId, span } = tracer.begin(head);
  if (span === null) return null;
  const now = Date.now();
  const failed = isError(facts.status, 500);
  recorder.span(
    serverSpan({ ...facts, caller, head, traceId, span, route: null, startMs: now, endMs: now, failed }),
  );
  return traceId;
}

interface ServerFacts {
  readonly caller: Caller;
  readonly head: Pick<RequestHead, 'method' | 'minor'>;
  readonly requestId: string;
  readonly traceId: string;
  readonly span: SpanContext;
  readonly route: string | null;
  readonly status: number | null;
  readonly reason: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
}

function serverSpan({ caller, head, route, span, status, reason, ...facts }: ServerFacts): string {
  return spanJson({
    traceId: facts.traceId,
    id: span.server,
    parent: span.parent === null ? null : { id: span.parent, remote: true },
    flags: span.flags,
    kind: 'server',
    name: route === null ? head.method : `${head.method} ${route}`,
    startMs: facts.startMs,
    endMs: facts.endMs,
    failed: facts.failed,
    attributes: [
      ['http.request.method', head.method],
      ['url.scheme', 'https'],
      ['http.route', route],
      ['http.response.status_code', status],
      ['network.protocol.version', `1.${head.minor}`],
      ['client.address', caller.address],
      ['error.type', reason ?? errorOf(status, 500)],
      ['ehi.conn_id', caller.connId],
      ['ehi.request_id', facts.requestId],
    ],
  });
}

/** Of the endpoint that carried the message; where none could be connected to: of the only one that was tried. */
function placeOf({ endpoints }: RoutePolicy, url: string | null): Attribute[] {
  const endpoint = endpoints.length === 1 ? endpoints[0] : endpoints.find((each) => each.url === url);
  if (endpoint === undefined) return [];
  const { target } = endpoint;
  if ('path' in target) return [['server.address', target.path]];
  return [
    ['server.address', target.host],
    ['server.port', target.port],
  ];
}

/** A server's span fails from 500 on, a client's from 400 on. */
function isError(status: number | null, from: number): boolean {
  return status !== null && status >= from;
}

/** The convention's word where there is no better one. */
function errorOf(status: number | null, from: number): string | null {
  return isError(status, from) ? `${status}` : null;
}
