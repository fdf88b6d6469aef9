/** Reads the requests of a client's connection in turn, and forwards or refuses each one. */

import type { Socket } from 'node:net';
import type { PolicyFacts } from '../audit/record.ts';
import { BodyReader } from '../message/body-framing.ts';
import { RequestReader, type Span } from '../message/head-reader.ts';
import type { Payload } from '../message/head-writer.ts';
import type { RefusalName } from '../message/message-reasons.ts';
import { recordDeparture } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import { requestIdField, requestIdOf } from '../message/request-id.ts';
import { traceOf } from '../message/trace-context.ts';
import type { ConnectionPhase } from './connection-phase.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { ForwardedIdentity } from './forwarded-identity.ts';
import { type GuardedOptions, GuardedRequest, type GuardRefusal } from './guarded-request.ts';
import type { RelayPolicy } from './relay-policy.ts';
import { checkRequest, type RequestConditions } from './request-admission.ts';
import { type DiscardFacts, RequestRefusals } from './request-refusals.ts';
import type { Route } from './route-table.ts';

/** The connection that the requests come from. */
interface RequestConnection
  extends Pick<ExchangeClient, 'caller' | 'recorder' | 'lastExchange' | 'backedUp' | 'send'> {
  /** Sends `response` and closes. */
  close(response: Buffer): void;
  /** A verdict that was awaited is known: `proceed` is to be called. */
  judged(): void;
}

interface RequestsOptions {
  readonly connection: RequestConnection;
  /** The TCP socket: its local address is forwarded. */
  readonly transport: Socket;
  readonly conditions: RequestConditions;
  /** The policy in force; read for each head. */
  readonly policy: () => RelayPolicy;
  readonly phase: ConnectionPhase;
  readonly exchange: Exchange;
}

const continueResponse = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
const nothing: Span = { bytes: Buffer.alloc(0), at: 0, end: 0 };
const headTimeout: RefusedHead = { kind: 'refused', refusal: 'head_timeout', method: null, path: null };

/** A request that is forwarded. */
interface Accepted {
  readonly head: RequestHead;
  readonly route: Route;
  readonly startedAt: number;
  readonly policies: PolicyFacts | null;
}

export class ClientRequests {
  /** The policy of the current request. */
  policy: RelayPolicy;

  readonly #connection: RequestConnection;
  readonly #conditions: RequestConditions;
  readonly #currentPolicy: () => RelayPolicy;
  readonly #phase: ConnectionPhase;
  readonly #exchange: Exchange;
  readonly #identity: ForwardedIdentity;
  readonly #heads = new RequestReader();
  readonly #body = new BodyReader();
  readonly #refusals: RequestRefusals;
  #count = 0;
  #chunked = false;
  /** Set from the complete head until the request is forwarded or refused, if its route has guards. */
  #guarded: GuardedRequest | null = null;
  /** The last verdict of its guards. */
  #refusal: GuardRefusal = null;

  constructor({ connection, transport, conditions, policy, phase, exchange }: RequestsOptions) {
    this.#connection = connection;
    this.#conditions = conditions;
    this.#currentPolicy = policy;
    this.#phase = phase;
    this.#exchange = exchange;
    this.#identity = new ForwardedIdentity(connection.caller, transport);
    this.#refusals = new RequestRefusals({ connection, phase, becomeIdle: () => this.becomeIdle() });
    this.policy = policy();
  }

  get proxyHeader(): Buffer {
    return this.#identity.proxyHeader;
  }

  /** Returns the bytes after a complete request: they are to be read after its response. null: none are left. */
  read(bytes: Buffer): Buffer | null {
    return this.#readSpan({ bytes, at: 0, end: bytes.length });
  }

  /** Goes on after `judged` was called; `bytes` are those that came in the meantime. Returns as `read`. */
  proceed(bytes: Buffer): Buffer | null {
    return this.#readSpan(this.#onVerdict(this.#refusal, { bytes, at: 0, end: bytes.length }));
  }

  #readSpan(span: Span): Buffer | null {
    let rest = span;
    while (rest.at < rest.end) {
      const { current } = this.#phase;
      if (current === 'closing') return null;
      if (current === 'response' || current === 'judging') return rest.bytes.subarray(rest.at, rest.end);
      if (current === 'body') rest = this.#readBody(rest);
      else if (current === 'holding') rest = this.#holdBody(this.#guarded as GuardedRequest, rest);
      else if (current === 'discarding') rest = this.#refusals.read(rest);
      else {
        this.policy = this.#currentPolicy();
        const { limits, requestFields } = this.policy;
        const head = this.#heads.read(rest, limits, requestFields);
        if (head === null) {
          this.#awaitHead();
          return null;
        }
        rest = this.#readRequest(head, this.#heads.rest);
      }
    }
    return null;
  }

  /** The timeout of `head`, `holding`, `body` or `discarding` has passed. */
  onTimeout(): void {
    const { current } = this.#phase;
    if (current === 'head') this.#readRequest(headTimeout, nothing);
    else if (current === 'body') this.#exchange.fail({ side: 'client', reason: 'body_timeout' });
    else if (current === 'holding') this.refuseUndecided('body_timeout');
    else this.#refusals.onTimeout();
  }

  /** Refuses the request whose guards have not decided yet. False: there is none. */
  refuseUndecided(reason: 'body_timeout' | 'judgement_timeout'): boolean {
    if (this.#guarded === null) return false;
    this.#refuse(reason, this.#guarded.head);
    return true;
  }

  /** The connection has closed: records the request whose guards have not decided yet. */
  clientGone(): void {
    const guarded = this.#guarded;
    if (guarded === null) return;
    const { recorder, caller } = this.#connection;
    const { head, route, facts: policies } = guarded;
    recordDeparture(recorder, {
      ...{ connId: caller.connId, requestId: this.#requestId(), head, policies },
      route: route.policy.path,
    });
    this.#endGuarding(guarded);
  }

  /** Starts the timeout for the next part of the body, or for the response if the body is complete. */
  awaitMore(now: number): void {
    if (this.#body.done) this.#phase.enter('response', Number.POSITIVE_INFINITY, now);
    else this.#phase.enter('body', this.policy.timeouts.bodyIdle, now);
  }

  becomeIdle(): void {
    this.#phase.enter('idle', this.policy.timeouts.keepAlive, performance.now());
  }

  /** An empty line before a request line does not begin a head: the connection stays idle (RFC 9112 §2.2). */
  #awaitHead(): void {
    if (this.#phase.current === 'head' || !this.#heads.begun) return;
    this.#phase.enter('head', this.policy.timeouts.head, performance.now());
  }

  /** Checks a complete head, and forwards it with the received part of its body. Returns the bytes after that. */
  #readRequest(head: RequestHead | RefusedHead, rest: Span): Span {
    const startedAt = performance.now();
    const { limits } = this.policy;
    this.#count++;
    // Also if the head came in one read: if the permit is withdrawn now, the request gets a response.
    this.#phase.leaveIdle();
    if (head.kind === 'refused') return this.#refuse(head.refusal, head);
    const route = checkRequest(head.path, this.#conditions, this.policy);
    if ('kind' in route) {
      if (route.kind === 'close') return this.#refuse(route.reason, head);
      const facts = { reason: route.reason, route: route.route, challenge: null, policies: null };
      return this.#discard({ ...facts, head, isBodyRead: false }, rest);
    }
    this.#body.start(head.framing, { length: head.length, limits });
    this.#chunked = head.framing === 'chunked';
    if (route.guards !== null) return this.#guard({ head, route, guards: route.guards, startedAt }, rest);
    return this.#forward({ head, route, startedAt, policies: null }, rest);
  }

  /** Forwards a request with the received part of its body. */
  #forward(accepted: Accepted, rest: Span): Span {
    const { head } = accepted;
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return this.#refuse(this.#body.fault, head);
    if (head.expectContinue && rest.at === rest.end) this.#connection.send(continueResponse);
    this.#begin(accepted, this.#payload(rest));
    return { ...rest, at: next };
  }

  #begin({ head, route, startedAt, policies }: Accepted, payload: Payload): void {
    const { identityFields, tracer } = this.policy;
    this.#phase.setDeadline(startedAt + route.policy.deadline);
    this.awaitMore(policies === null ? startedAt : performance.now());
    const requestId = this.#requestId();
    const { id: traceId, fields, span } = tracer === null ? traceOf(head) : tracer.begin(head);
    const identity = this.#identity.fields(identityFields, head.host);
    const added = identity + requestIdField(requestId) + fields;
    this.#exchange.begin({ head, route, requestId, traceId, span, added, startedAt, policies }, payload);
  }

  /** Has the guards of the route judge the head. */
  #guard(request: Omit<GuardedOptions, 'caller' | 'held'>, rest: Span): Span {
    const { caller, recorder } = this.#connection;
    const { account, held } = this.#conditions;
    const guarded = new GuardedRequest({ ...request, caller, held });
    this.#guarded = guarded;
    guarded.countInFlight(recorder, account, 1);
    this.#phase.setDeadline(request.startedAt + request.route.policy.deadline);
    return this.#await(guarded, guarded.judgeHead(), rest);
  }

  /** Goes on with the verdict at once, or when it is known: until then the connection is not read. */
  #await(guarded: GuardedRequest, verdict: GuardRefusal | Promise<GuardRefusal>, rest: Span): Span {
    if (!(verdict instanceof Promise)) return this.#onVerdict(verdict, rest);
    this.#phase.enter('judging', Number.POSITIVE_INFINITY, performance.now());
    void verdict.then((refusal) => {
      if (this.#guarded !== guarded) return;
      this.#refusal = refusal;
      this.#connection.judged();
    });
    return rest;
  }

  #onVerdict(refusal: GuardRefusal, rest: Span): Span {
    const guarded = this.#guarded as GuardedRequest;
    const { head } = guarded;
    if (refusal !== null) return this.#refuseGuarded(guarded, refusal, rest);
    // The verdict may have taken as long as the deadline allows.
    if (!this.#conditions.permitted()) return this.#refuse('permit_withdrawn', head);
    if (guarded.awaitsBody) {
      if (head.expectContinue && rest.at === rest.end) this.#connection.send(continueResponse);
      return this.#holdBody(guarded, rest);
    }
    const { route, startedAt, facts: policies } = guarded;
    const accepted = { head, route, startedAt, policies };
    const body = guarded.isBodyComplete ? guarded.takeBody() : null;
    this.#endGuarding(guarded);
    if (body === null) return this.#forward(accepted, rest);
    this.#begin(accepted, { bytes: body, at: 0, end: body.length, chunked: this.#chunked, last: true });
    return rest;
  }

  #holdBody(guarded: GuardedRequest, rest: Span): Span {
    const { limits, timeouts } = this.policy;
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return this.#refuse(this.#body.fault, guarded.head);
    const span = { at: rest.at, end: this.#body.payloadEnd, limit: limits.heldBodies };
    const after = { ...rest, at: next };
    if (!guarded.hold(rest.bytes, span)) return this.#refuse('held_bodies', guarded.head);
    if (this.#body.done) return this.#await(guarded, guarded.judgeBody(), after);
    this.#phase.enter('holding', timeouts.bodyIdle, performance.now());
    return after;
  }

  #refuseGuarded(guarded: GuardedRequest, refusal: NonNullable<GuardRefusal>, rest: Span): Span {
    const { head, route, facts: policies, isBodyComplete: isBodyRead } = guarded;
    this.#endGuarding(guarded);
    return this.#discard({ ...refusal, head, route, policies, isBodyRead }, rest);
  }

  #endGuarding(guarded: GuardedRequest): void {
    guarded.takeBody();
    guarded.countInFlight(this.#connection.recorder, this.#conditions.account, -1);
    this.#guarded = null;
  }

  #readBody(rest: Span): Span {
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) {
      this.#exchange.fail({ side: 'client', reason: this.#body.fault });
      return nothing;
    }
    this.awaitMore(performance.now());
    this.#exchange.sendBody(this.#payload(rest));
    return { ...rest, at: next };
  }

  #payload({ bytes, at }: Span): Payload {
    const { payloadEnd, done } = this.#body;
    return { bytes, at, end: payloadEnd, chunked: this.#chunked, last: done };
  }

  #requestId(): string {
    return requestIdOf(this.#connection.caller.connId, this.#count);
  }

  /** Refuses a request and closes the connection; nothing is left to read. */
  #refuse(reason: RefusalName, head: RequestHead | RefusedHead): Span {
    const guarded = this.#guarded;
    this.#refusals.refuse({ reason, head, requestId: this.#requestId(), guarded }, this.policy);
    if (guarded !== null) this.#endGuarding(guarded);
    return nothing;
  }

  /** Refuses a request; the connection stays open if possible. */
  #discard(facts: Omit<DiscardFacts, 'requestId'>, rest: Span): Span {
    return this.#refusals.discard({ ...facts, requestId: this.#requestId() }, rest, this.policy);
  }
}
