/** Reads the requests of a client's connection in turn, and forwards or refuses each one. */

import type { Socket } from 'node:net';
import { BodyReader } from '../message/body-framing.ts';
import { RequestReader, type Span } from '../message/head-reader.ts';
import type { Payload } from '../message/head-writer.ts';
import type { RefusalName } from '../message/message-reasons.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import { requestIdField, requestIdOf } from '../message/request-id.ts';
import { traceOf } from '../message/trace-context.ts';
import type { ConnectionPhase } from './connection-phase.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { ForwardedIdentity } from './forwarded-identity.ts';
import type { RelayPolicy } from './relay-policy.ts';
import { checkRequest, type RequestConditions, type RequestRefusal } from './request-admission.ts';
import { refuse, ShedRequest } from './request-refusal.ts';

/** The connection that the requests come from. */
interface RequestConnection
  extends Pick<ExchangeClient, 'caller' | 'recorder' | 'lastExchange' | 'backedUp' | 'send'> {
  /** Sends `response` and closes. */
  close(response: Buffer): void;
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
  #count = 0;
  #chunked = false;
  /** Set while shedding. */
  #shed: ShedRequest | null = null;

  constructor({ connection, transport, conditions, policy, phase, exchange }: RequestsOptions) {
    this.#connection = connection;
    this.#conditions = conditions;
    this.#currentPolicy = policy;
    this.#phase = phase;
    this.#exchange = exchange;
    this.#identity = new ForwardedIdentity(connection.caller, transport);
    this.policy = policy();
  }

  get proxyHeader(): Buffer {
    return this.#identity.proxyHeader;
  }

  /** Returns the bytes after a complete request: they are to be read after its response. null: none are left. */
  read(bytes: Buffer): Buffer | null {
    let rest: Span = { bytes, at: 0, end: bytes.length };
    while (rest.at < rest.end) {
      const { current } = this.#phase;
      if (current === 'closing') return null;
      if (current === 'response') return rest.bytes.subarray(rest.at, rest.end);
      if (current === 'body') rest = this.#readBody(rest);
      else if (current === 'shedding') rest = this.#discard(rest, this.#shed as ShedRequest);
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

  /** The timeout of `head`, `body` or `shedding` has passed. */
  onTimeout(): void {
    const { current } = this.#phase;
    if (current === 'head') this.#readRequest(headTimeout, nothing);
    else if (current === 'body') this.#exchange.fail({ side: 'client', reason: 'body_timeout' });
    else if (this.#shed !== null) this.#connection.close(this.#shed.response({ close: true }));
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
    const { limits, identityFields, tracer } = this.policy;
    this.#count++;
    // Also if the head came in one read: if the permit is withdrawn now, the request gets a response.
    this.#phase.leaveIdle();
    if (head.kind === 'refused') return this.#refuse(head.refusal, head);
    const route = checkRequest(head.path, this.#conditions, this.policy);
    if ('kind' in route) {
      return route.kind === 'shed' ? this.#shedLoad(route, head, rest) : this.#refuse(route.reason, head);
    }
    this.#body.start(head.framing, { length: head.length, limits });
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return this.#refuse(this.#body.fault, head);
    if (head.expectContinue && rest.at === rest.end) this.#connection.send(continueResponse);

    this.#chunked = head.framing === 'chunked';
    this.#phase.setDeadline(startedAt + route.policy.deadline);
    this.awaitMore(startedAt);
    const requestId = this.#requestId();
    const { id: traceId, fields, span } = tracer === null ? traceOf(head) : tracer.begin(head);
    const identity = this.#identity.fields(identityFields, head.host);
    const added = identity + requestIdField(requestId) + fields;
    this.#exchange.begin({ head, route, requestId, traceId, span, added, startedAt }, this.#payload(rest));
    return { ...rest, at: next };
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
    const { tracer } = this.policy;
    const requestId = this.#requestId();
    this.#connection.close(refuse(this.#connection, { reason, head, requestId, tracer }));
    return nothing;
  }

  /** Refuses a request because of load; the connection stays open if possible. */
  #shedLoad(refusal: RequestRefusal & { readonly kind: 'shed' }, head: RequestHead, rest: Span): Span {
    const { reason, route } = refusal;
    const { limits, timeouts, tracer } = this.policy;
    const shed = new ShedRequest({ reason, route, head, requestId: this.#requestId() }, { limits, rest });
    this.#shed = shed;
    shed.record(this.#connection, tracer);
    // One timeout for the whole body, not for each read of it.
    this.#phase.enter('shedding', timeouts.bodyIdle, performance.now());
    return this.#discard(rest, shed);
  }

  #discard(rest: Span, shed: ShedRequest): Span {
    const next = shed.read(rest);
    if (!shed.over) return { ...rest, at: next };
    // Close instead of queueing when the client does not read its responses.
    const close = !shed.keepsAlive || this.#connection.lastExchange || this.#connection.backedUp;
    if (close) {
      this.#connection.close(shed.response({ close }));
      return nothing;
    }
    this.#shed = null;
    this.#connection.send(shed.response({ close }));
    this.becomeIdle();
    return { ...rest, at: next };
  }
}
