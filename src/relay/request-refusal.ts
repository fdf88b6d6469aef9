/** Refuses requests, with or without the end of the connection, and records them. */
import type { PolicyFacts } from '../audit/record.ts';
import { BodyReader } from '../message/body-framing.ts';
import { errorResponse } from '../message/error-response.ts';
import type { Span } from '../message/head-reader.ts';
import { messageRefusals, type RefusalName } from '../message/message-reasons.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { isShedReason, noRoute } from '../telemetry/route-meter.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import { recordRefusalSpan } from './exchange-spans.ts';
import type { Route } from './route-table.ts';

/** The connection that the request came on. */
interface Client {
  readonly recorder: Recorder;
  readonly caller: Caller;
}

interface Refusal {
  readonly reason: RefusalName;
  readonly head: RequestHead | RefusedHead;
  readonly requestId: string;
  readonly tracer: Tracer | null;
  /** On a route with guards, from the complete head; null: the route is not known, or has none. */
  readonly guarded: { readonly route: Route; readonly facts: PolicyFacts } | null;
}

/** Returns the response, after which the connection must be closed: the rest of the request is not read. */
export function refuse(client: Client, refusal: Refusal): Buffer {
  const { reason, head, requestId, tracer, guarded } = refusal;
  const { status } = messageRefusals[reason];
  const traceId = tracer && recordRefusalSpan(client, tracer, { head, requestId, status, reason });
  const { connId } = client.caller;
  const route = guarded?.route.policy.path ?? null;
  const policies = guarded?.facts ?? null;
  recordRefusal(client.recorder, { connId, requestId, traceId, status, reason, head, route, policies });
  countShed(client.recorder, reason, guarded?.route ?? null);
  return errorResponse({ status, requestId, close: true, bodyless: head.method === 'HEAD' });
}

/** `route`: null if none was selected. */
function countShed(recorder: Recorder, reason: RefusalName, route: Route | null): void {
  if (isShedReason(reason)) (route?.meter ?? recorder.meter.route(noRoute)).shed(reason);
}

/** Maximum size of a body that is read so that the connection can stay open. */
const MAX_DISCARD = 64 * 1024;

export interface DiscardFacts {
  readonly reason: RefusalName;
  readonly requestId: string;
  readonly head: RequestHead;
  /** null: none was selected. */
  readonly route: Route | null;
  /** The value of WWW-Authenticate; null: no such field. */
  readonly challenge: string | null;
  /** What the guards of the route found; null: none judged the request. */
  readonly policies: PolicyFacts | null;
  /** Whether the body was read already. */
  readonly isBodyRead: boolean;
}

/**
 * A request that is refused on a connection that may stay open: recorded at once, and answered after its body was read and
 * discarded. The body is read because a handshake costs more than the message would have: a client that had to connect
 * again after each refusal would add to the load.
 */
export class DiscardedRequest {
  readonly #facts: DiscardFacts;
  readonly #reader = new BodyReader();
  /** The client awaits 100 Continue: it may send its body or not (RFC 9110 §10.1.1). */
  readonly #bodyUncertain: boolean;

  /** `rest`: the bytes after the head, or after the body if that was read. */
  constructor(facts: DiscardFacts, { limits, rest }: { readonly limits: Limits; readonly rest: Span }) {
    const { head, isBodyRead } = facts;
    this.#facts = facts;
    this.#bodyUncertain = !isBodyRead && head.expectContinue && rest.at === rest.end;
    this.#reader.start(isBodyRead ? 'none' : head.framing, {
      length: head.length,
      limits: { ...limits, body: Math.min(limits.body, MAX_DISCARD) },
    });
  }

  /** The response can be sent: the body was read, or the connection ends anyway. */
  get over(): boolean {
    return this.#reader.done || !this.keepsAlive;
  }

  /** The next request can be found after the body, and the client will send it. */
  get keepsAlive(): boolean {
    return this.#facts.head.keepAlive && !this.#bodyUncertain && this.#reader.fault === null;
  }

  /** Returns the index after the last byte that belongs to the body. */
  read({ bytes, at, end }: Span): number {
    return this.#reader.read(bytes, at, end);
  }

  record({ recorder, caller }: Client, tracer: Tracer | null): void {
    const { route, reason, requestId, head, policies } = this.#facts;
    const { status } = messageRefusals[reason];
    const traceId =
      tracer && recordRefusalSpan({ recorder, caller }, tracer, { head, requestId, status, reason });
    const { connId } = caller;
    const path = route?.policy.path ?? null;
    recordRefusal(recorder, { connId, requestId, traceId, head, reason, status, route: path, policies });
    countShed(recorder, reason, route);
  }

  response({ close }: { readonly close: boolean }): Buffer {
    const { reason, requestId, head, challenge } = this.#facts;
    const { status } = messageRefusals[reason];
    return errorResponse({ status, requestId, close, bodyless: head.method === 'HEAD', challenge });
  }
}
