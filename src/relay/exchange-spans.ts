/** The spans of a message (OpenTelemetry's semantic conventions for HTTP), without its path, query and field values. */
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { SpanContext } from '../message/trace-context.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { type Attribute, spanJson } from '../tracing/otlp-json.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import type { ExchangeFacts, Message } from './exchange-facts.ts';

interface Client {
  readonly recorder: Recorder;
  readonly caller: Caller;
}

/** `ended`: the duration of the message, and the time at its end since the epoch, milliseconds. */
export function recordSpans(
  { recorder, caller }: Client,
  message: Message & { readonly span: SpanContext },
  facts: ExchangeFacts,
  ended: { readonly time: number; readonly totalMs: number },
): void {
  const { head, route, requestId, traceId, span } = message;
  const startMs = ended.time - ended.totalMs;
  const forwardedMs = startMs + message.forwardedAt - message.startedAt;
  const { status, endpoint, outcome, failure } = facts;
  const reason = failure?.reason ?? (outcome === 'client_gone' ? outcome : null);
  // The status of the gateway's own response is not the host's.
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
      startMs: forwardedMs,
      endMs: Number.isNaN(facts.upstreamMs) ? ended.time : forwardedMs + facts.upstreamMs,
      failed: reason !== null || isError(hostStatus, 400),
      attributes: [
        ['http.request.method', head.method],
        ...serverAttributes(route.policy, endpoint),
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

/** Records a request that was refused. Returns its trace id; null: not sampled, or its head could not be parsed. */
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

/** Of the endpoint that carried the message; without a connection, of the route's only endpoint, or none. */
function serverAttributes({ endpoints }: RoutePolicy, url: string | null): Attribute[] {
  const endpoint = endpoints.length === 1 ? endpoints[0] : endpoints.find((each) => each.url === url);
  if (endpoint === undefined) return [];
  const { target } = endpoint;
  if ('path' in target) return [['server.address', target.path]];
  return [
    ['server.address', target.host],
    ['server.port', target.port],
  ];
}

/** By the conventions a server's span fails from status 500 on, a client's from 400 on. */
function isError(status: number | null, from: number): boolean {
  return status !== null && status >= from;
}

/** The conventions use the status as error type where there is no other. */
function errorOf(status: number | null, from: number): string | null {
  return isError(status, from) ? `${status}` : null;
}
