/** Refuses requests: at once, or to shed load; both are recorded. */

import { BodyReader } from '../message/body-framing.ts';
import { errorResponse } from '../message/error-response.ts';
import type { Span } from '../message/head-reader.ts';
import { messageRefusals, type RefusalName } from '../message/message-reasons.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { noRoute, type ShedReason } from '../telemetry/route-meter.ts';
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
}

/** Returns the response, after which the connection must be closed: the rest of the request is not read. */
export function refuse(client: Client, { reason, head, requestId, tracer }: Refusal): Buffer {
  const { status } = messageRefusals[reason];
  const traceId = tracer && recordRefusalSpan(client, tracer, { head, requestId, status, reason });
  const { connId } = client.caller;
  recordRefusal(client.recorder, { connId, requestId, traceId, status, reason, head });
  return errorResponse({ status, requestId, close: true, bodyless: head.method === 'HEAD' });
}

/** Maximum size of a body that is read so that the connection can stay open. */
const MAX_DISCARD = 64 * 1024;

interface ShedFacts {
  readonly reason: ShedReason;
  readonly requestId: string;
  readonly head: RequestHead;
  /** null: none was selected. */
  readonly route: Route | null;
}

/**
 * A request that is refused to shed load: recorded at once, and answered after its body was read and discarded. The body
 * is read because a handshake costs more than the message would have: a client that had to connect again after each
 * refusal would add to the load.
 */
export class ShedRequest {
  readonly #facts: ShedFacts;
  readonly #reader = new BodyReader();
  /** The client awaits 100 Continue: it may send its body or not (RFC 9110 §10.1.1). */
  readonly #bodyUncertain: boolean;

  /** `rest`: the bytes after the head. */
  constructor(facts: ShedFacts, { limits, rest }: { readonly limits: Limits; readonly rest: Span }) {
    const { head } = facts;
    this.#facts = facts;
    this.#bodyUncertain = head.expectContinue && rest.at === rest.end;
    this.#reader.start(head.framing, {
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
    const { route, reason, requestId, head } = this.#facts;
    const { status } = messageRefusals[reason];
    const traceId =
      tracer && recordRefusalSpan({ recorder, caller }, tracer, { head, requestId, status, reason });
    const { connId } = caller;
    const path = route?.policy.path ?? null;
    recordRefusal(recorder, { connId, requestId, traceId, head, reason, status, route: path });
    (route?.meter ?? recorder.meter.route(noRoute)).shed(reason);
  }

  response({ close }: { readonly close: boolean }): Buffer {
    const { reason, requestId, head } = this.#facts;
    const { status } = messageRefusals[reason];
    return errorResponse({ status, requestId, close, bodyless: head.method === 'HEAD' });
  }
}
