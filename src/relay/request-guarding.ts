/** Has the guards of a route judge a request of the connection, and holds its body where the verdict depends on it. */
import type { PolicyFacts } from '../audit/record.ts';
import type { BodyReader } from '../message/body-framing.ts';
import type { Span } from '../message/head-reader.ts';
import type { RefusalName } from '../message/message-reasons.ts';
import { recordDeparture } from '../message/refusal-record.ts';
import type { RequestHead } from '../message/request.ts';
import type { Caller } from './caller.ts';
import type { ConnectionDeadlines } from './connection-deadlines.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { type GuardedOptions, GuardedRequest, type GuardRefusal } from './guarded-request.ts';
import type { HeldBodies } from './held-bodies.ts';
import type { RelayPolicy } from './relay-policy.ts';
import type { RequestConditions } from './request-admission.ts';
import type { DiscardFacts } from './request-refusals.ts';
import type { Route } from './route-table.ts';

/** A request that is forwarded. */
export interface AcceptedRequest {
  readonly head: RequestHead;
  readonly route: Route;
  /** performance.now() when the head was complete. */
  readonly startedAt: number;
  /** What the guards of the route found; null: it has none. */
  readonly policies: PolicyFacts | null;
}

/** What becomes of a request. The methods return the bytes after what they read. */
export interface RequestFlow {
  /** In force for the current request. */
  readonly policy: RelayPolicy;
  readonly requestId: string;
  forward(accepted: AcceptedRequest, rest: Span): Span;
  /** `body`: as far as it was read; the rest follows. */
  forwardHeld(accepted: AcceptedRequest, body: Buffer): void;
  /** Sends 100 Continue if the client awaits it. */
  inviteBody(head: RequestHead, rest: Span): void;
  /** Ends the connection, and the judgement. */
  refuse(reason: RefusalName, head: RequestHead): Span;
  discard(facts: Omit<DiscardFacts, 'requestId'>, rest: Span): Span;
}

interface GuardingOptions {
  readonly connection: Pick<ExchangeClient, 'caller' | 'recorder'> & {
    /** A verdict that was awaited is known: `proceed` is to be called. */
    judged(): void;
  };
  readonly conditions: RequestConditions;
  readonly phase: ConnectionDeadlines;
  /** Of the current request. */
  readonly body: BodyReader;
  readonly flow: RequestFlow;
}

export class RequestGuarding {
  readonly #options: GuardingOptions;
  readonly #context: { readonly caller: Caller; readonly held: HeldBodies };
  #current: GuardedRequest | null = null;
  /** The last verdict. */
  #refusal: GuardRefusal = null;

  constructor(options: GuardingOptions) {
    this.#options = options;
    this.#context = { caller: options.connection.caller, held: options.conditions.held };
  }

  /** Awaits a verdict or its body, until it is forwarded or refused; null: none does. */
  get current(): GuardedRequest | null {
    return this.#current;
  }

  /** Has the guards judge the head. What they know already is forwarded or refused at once. */
  begin(request: GuardedOptions, rest: Span): Span {
    const guarded = new GuardedRequest(request, this.#context);
    const verdict = guarded.judgeHead();
    if (verdict === null && !guarded.awaitsBody) return this.#options.flow.forward(guarded, rest);
    const { connection, conditions, phase } = this.#options;
    this.#current = guarded;
    guarded.countInFlight(connection.recorder, conditions.account, 1);
    phase.setDeadline(guarded.startedAt + guarded.route.policy.deadline);
    return this.#await(guarded, verdict, rest);
  }

  /** Goes on with the verdict at once, or when it is known: until then the connection is not read. */
  #await(guarded: GuardedRequest, verdict: GuardRefusal | Promise<GuardRefusal>, rest: Span): Span {
    if (!(verdict instanceof Promise)) return this.#onVerdict(guarded, verdict, rest);
    const { connection, phase } = this.#options;
    phase.enter('judging', Number.POSITIVE_INFINITY, performance.now());
    void verdict.then((refusal) => {
      if (this.#current !== guarded) return;
      this.#refusal = refusal;
      connection.judged();
    });
    return rest;
  }

  /** Goes on after the verdict that was awaited. */
  proceed(rest: Span): Span {
    return this.#onVerdict(this.#current as GuardedRequest, this.#refusal, rest);
  }

  #onVerdict(guarded: GuardedRequest, refusal: GuardRefusal, rest: Span): Span {
    const { conditions, flow } = this.#options;
    if (refusal !== null) return this.#refuse(guarded, refusal, rest);
    // The verdict may have taken as long as the deadline allows.
    if (!conditions.permitted()) return flow.refuse('permit_withdrawn', guarded.head);
    if (guarded.awaitsBody) {
      flow.inviteBody(guarded.head, rest);
      return this.readBody(rest);
    }
    const body = guarded.isBodyComplete ? guarded.takeBody() : null;
    this.end();
    if (body === null) return flow.forward(guarded, rest);
    flow.forwardHeld(guarded, body);
    return rest;
  }

  /** Holds the next part of the body, and has the guards judge it when it is complete. */
  readBody(rest: Span): Span {
    const { body, flow, phase } = this.#options;
    const { limits, timeouts } = flow.policy;
    const guarded = this.#current as GuardedRequest;
    const next = body.read(rest.bytes, rest.at, rest.end);
    if (body.fault !== null) return flow.refuse(body.fault, guarded.head);
    const span = { at: rest.at, end: body.payloadEnd, limit: limits.heldBodies };
    const after = { ...rest, at: next };
    if (!guarded.hold(rest.bytes, span)) {
      if (!guarded.skipBody()) return flow.refuse('held_bodies', guarded.head);
      this.#forwardUnjudged(guarded, rest.bytes.subarray(span.at, span.end));
      return after;
    }
    if (body.done) return this.#await(guarded, guarded.judgeBody(), after);
    phase.enter('holding', timeouts.bodyIdle, performance.now());
    return after;
  }

  /** On trial: what is held and the part that cannot be, though the body was not judged. */
  #forwardUnjudged(guarded: GuardedRequest, part: Buffer): void {
    const body = Buffer.concat([guarded.takeBody(), part]);
    this.end();
    this.#options.flow.forwardHeld(guarded, body);
  }

  #refuse(guarded: GuardedRequest, refusal: NonNullable<GuardRefusal>, rest: Span): Span {
    const { head, route, policies, isBodyComplete: isBodyRead } = guarded;
    this.end();
    return this.#options.flow.discard({ ...refusal, head, route, policies, isBodyRead }, rest);
  }

  /** The client has left: records the request that was being judged. */
  clientGone(): void {
    const guarded = this.#current;
    if (guarded === null) return;
    const { connection, flow } = this.#options;
    const { head, route, policies } = guarded;
    const { connId } = connection.caller;
    const { requestId } = flow;
    recordDeparture(connection.recorder, { connId, requestId, head, policies, route: route.policy.path });
    this.end();
  }

  /** The request is forwarded or refused: nothing of it is held. */
  end(): void {
    const guarded = this.#current;
    if (guarded === null) return;
    const { connection, conditions } = this.#options;
    guarded.takeBody();
    guarded.countInFlight(connection.recorder, conditions.account, -1);
    this.#current = null;
  }
}
