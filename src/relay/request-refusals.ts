/** Refuses requests, with or without the end of the connection, and records them. */
import type { PolicyFacts } from '../audit/record.ts';
import { BodyReader } from '../message/body-framing.ts';
import { errorResponse } from '../message/error-response.ts';
import { emptySpan, type Span } from '../message/head-reader.ts';
import { messageRefusals, type RefusalName } from '../message/message-reasons.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { isShedReason, noRoute } from '../telemetry/route-meter.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import type { ConnectionDeadlines } from './connection-deadlines.ts';
import { recordRefusalSpan } from './exchange-spans.ts';
import type { RelayPolicy } from './relay-policy.ts';
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
function refuse(client: Client, refusal: Refusal): Buffer {
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
class DiscardedRequest {
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

interface RefusalsOptions {
  readonly connection: Client & {
    readonly lastExchange: boolean;
    readonly backedUp: boolean;
    send(bytes: Buffer): boolean;
    /** Sends `response` and closes. */
    close(response: Buffer): void;
  };
  readonly phase: ConnectionDeadlines;
  readonly becomeIdle: () => void;
}

/** The refusals of one connection. */
export class RequestRefusals {
  readonly #options: RefusalsOptions;
  /** Set in the phase `discarding`. */
  #discarded: DiscardedRequest | null = null;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /** Refuses a request and closes the connection. */
  refuse(refusal: Omit<Refusal, 'tracer'>, { tracer }: RelayPolicy): void {
    const { connection } = this.#options;
    connection.close(refuse(connection, { ...refusal, tracer }));
  }

  /** Refuses a request on a connection that stays open if possible. Returns the bytes after its body, as far as it is read. */
  discard(facts: DiscardFacts, rest: Span, { limits, timeouts, tracer }: RelayPolicy): Span {
    const { connection, phase } = this.#options;
    const discarded = new DiscardedRequest(facts, { limits, rest });
    this.#discarded = discarded;
    discarded.record(connection, tracer);
    phase.clearDeadline();
    // One timeout for the whole body, not for each read of it.
    phase.enter('discarding', timeouts.bodyIdle, performance.now());
    return this.read(rest);
  }

  /** Reads the next part of the body in the phase `discarding`. Returns the bytes after the body. */
  read(rest: Span): Span {
    const discarded = this.#discarded as DiscardedRequest;
    const { connection, becomeIdle } = this.#options;
    const next = discarded.read(rest);
    if (!discarded.over) return { ...rest, at: next };
    // Close instead of queueing when the client does not read its responses.
    const close = !discarded.keepsAlive || connection.lastExchange || connection.backedUp;
    if (close) {
      connection.close(discarded.response({ close }));
      return emptySpan;
    }
    this.#discarded = null;
    connection.send(discarded.response({ close }));
    becomeIdle();
    return { ...rest, at: next };
  }

  /** The timeout of the phase has passed. */
  onTimeout(): void {
    if (this.#discarded !== null) this.#options.connection.close(this.#discarded.response({ close: true }));
  }
}
