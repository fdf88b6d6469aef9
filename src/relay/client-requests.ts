/** Reads the requests of a client's connection in turn, and forwards or refuses each one. */

import type { Socket } from 'node:net';
import { BodyReader } from '../message/body-framing.ts';
import { emptySpan, RequestReader, type Span } from '../message/head-reader.ts';
import type { Payload } from '../message/head-writer.ts';
import type { RefusalName } from '../message/message-reasons.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import { requestIdField, requestIdOf } from '../message/request-id.ts';
import { traceOf } from '../message/trace-context.ts';
import type { ConnectionDeadlines } from './connection-deadlines.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { ForwardedIdentity } from './forwarded-identity.ts';
import type { RelayPolicy } from './relay-policy.ts';
import { checkRequest, type RequestConditions } from './request-admission.ts';
import { type AcceptedRequest, type RequestFlow, RequestGuarding } from './request-guarding.ts';
import { type DiscardFacts, RequestRefusals } from './request-refusals.ts';

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
  readonly phase: ConnectionDeadlines;
  readonly exchange: Exchange;
}

const continueResponse = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
const headTimeout: RefusedHead = { kind: 'refused', refusal: 'head_timeout', method: null, path: null };

export class ClientRequests implements RequestFlow {
  /** The policy of the current request. */
  policy: RelayPolicy;

  readonly #connection: RequestConnection;
  readonly #conditions: RequestConditions;
  readonly #currentPolicy: () => RelayPolicy;
  readonly #phase: ConnectionDeadlines;
  readonly #exchange: Exchange;
  readonly #identity: ForwardedIdentity;
  readonly #heads = new RequestReader();
  readonly #body = new BodyReader();
  readonly #refusals: RequestRefusals;
  readonly #guarding: RequestGuarding;
  #count = 0;
  #chunked = false;

  constructor({ connection, transport, conditions, policy, phase, exchange }: RequestsOptions) {
    this.#connection = connection;
    this.#conditions = conditions;
    this.#currentPolicy = policy;
    this.#phase = phase;
    this.#exchange = exchange;
    this.#identity = new ForwardedIdentity(connection.caller, transport);
    this.#refusals = new RequestRefusals({ connection, phase, becomeIdle: () => this.becomeIdle() });
    this.#guarding = new RequestGuarding({ connection, conditions, phase, body: this.#body, flow: this });
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
    return this.#readSpan(this.#guarding.proceed({ bytes, at: 0, end: bytes.length }));
  }

  #readSpan(span: Span): Buffer | null {
    let rest = span;
    while (rest.at < rest.end) {
      const { current } = this.#phase;
      if (current === 'closing') return null;
      if (current === 'response' || current === 'judging') return rest.bytes.subarray(rest.at, rest.end);
      if (current === 'body') rest = this.#readBody(rest);
      else if (current === 'holding') rest = this.#guarding.readBody(rest);
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
    if (current === 'head') this.#readRequest(headTimeout, emptySpan);
    else if (current === 'body') this.#exchange.fail({ side: 'client', reason: 'body_timeout' });
    else if (current === 'holding') this.refuseUndecided('body_timeout');
    else this.#refusals.onTimeout();
  }

  /** Refuses the request whose guards have not decided yet. False: there is none. */
  refuseUndecided(reason: 'body_timeout' | 'judgement_timeout'): boolean {
    const { current } = this.#guarding;
    if (current !== null) this.refuse(reason, current.head);
    return current !== null;
  }

  /** The connection has closed. */
  clientGone(): void {
    this.#guarding.clientGone();
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
    if (head.kind === 'refused') return this.refuse(head.refusal, head);
    const route = checkRequest(head.path, this.#conditions, this.policy);
    if ('kind' in route) {
      if (route.kind === 'close') return this.refuse(route.reason, head);
      const facts = { reason: route.reason, route: route.route, challenge: null, policies: null };
      return this.discard({ ...facts, head, isBodyRead: false }, rest);
    }
    this.#body.start(head.framing, { length: head.length, limits });
    this.#chunked = head.framing === 'chunked';
    if (route.guards !== null)
      return this.#guarding.begin({ head, route, guards: route.guards, startedAt }, rest);
    return this.forward({ head, route, startedAt, policies: null }, rest);
  }

  /** Forwards a request with the received part of its body. Returns the bytes after that. */
  forward(accepted: AcceptedRequest, rest: Span): Span {
    const { head } = accepted;
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return this.refuse(this.#body.fault, head);
    this.inviteBody(head, rest);
    this.#begin(accepted, this.#payload(rest));
    return { ...rest, at: next };
  }

  /** Forwards a request with its body as far as it was read: the whole, unless its policy is on trial. */
  forwardHeld(accepted: AcceptedRequest, body: Buffer): void {
    this.#begin(accepted, {
      bytes: body,
      at: 0,
      end: body.length,
      chunked: this.#chunked,
      last: this.#body.done,
    });
  }

  /** Sends 100 Continue to a client that awaits it and has sent nothing of its body (RFC 9110 §10.1.1). */
  inviteBody(head: RequestHead, rest: Span): void {
    if (head.expectContinue && rest.at === rest.end) this.#connection.send(continueResponse);
  }

  #begin({ head, route, startedAt, policies }: AcceptedRequest, payload: Payload): void {
    const { identityFields, tracer } = this.policy;
    this.#phase.setDeadline(startedAt + route.policy.deadline);
    this.awaitMore(policies === null ? startedAt : performance.now());
    const requestId = this.requestId;
    const { id: traceId, fields, span } = tracer === null ? traceOf(head) : tracer.begin(head);
    const identity = this.#identity.fields(identityFields, head.host);
    const added = identity + requestIdField(requestId) + fields;
    this.#exchange.begin({ head, route, requestId, traceId, span, added, startedAt, policies }, payload);
  }

  #readBody(rest: Span): Span {
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) {
      this.#exchange.fail({ side: 'client', reason: this.#body.fault });
      return emptySpan;
    }
    this.awaitMore(performance.now());
    this.#exchange.sendBody(this.#payload(rest));
    return { ...rest, at: next };
  }

  #payload({ bytes, at }: Span): Payload {
    const { payloadEnd, done } = this.#body;
    return { bytes, at, end: payloadEnd, chunked: this.#chunked, last: done };
  }

  get requestId(): string {
    return requestIdOf(this.#connection.caller.connId, this.#count);
  }

  /** Refuses a request and closes the connection; nothing is left to read. */
  refuse(reason: RefusalName, head: RequestHead | RefusedHead): Span {
    const guarded = this.#guarding.current;
    this.#refusals.refuse({ reason, head, requestId: this.requestId, guarded }, this.policy);
    this.#guarding.end();
    return emptySpan;
  }

  /** Refuses a request; the connection stays open if possible. Returns the bytes after its body, as far as it was read. */
  discard(facts: Omit<DiscardFacts, 'requestId'>, rest: Span): Span {
    return this.#refusals.discard({ ...facts, requestId: this.requestId }, rest, this.policy);
  }
}
