/** An admitted client's connection: its requests one after another, each answered before the next is read. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorAnswer } from '../message/answer.ts';
import type { RequestFields } from '../message/fields.ts';
import { BodyReader } from '../message/framing.ts';
import { RequestReader, type Span } from '../message/head-reader.ts';
import { lingeringClose } from '../message/linger.ts';
import { messageRefusals, type RefusalName } from '../message/refusal.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RefusedHead, RequestHead } from '../message/request.ts';
import { traceOf } from '../message/trace.ts';
import type { Payload } from '../message/write.ts';
import type { Limits, Timeouts } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { ShedReason } from '../telemetry/route-meter.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { Caller } from './caller.ts';
import type { ExchangeClient } from './client.ts';
import type { ClientAccount } from './client-accounts.ts';
import { Exchange } from './exchange.ts';
import { ForwardedIdentity } from './forwarded-identity.ts';
import type { IdentityFields } from './identity-fields.ts';
import { LazyTimer } from './lazy-timer.ts';
import type { Route, RouteTable } from './route.ts';
import { Shed } from './shed-request.ts';
import { recordRefusalSpan } from './spans.ts';

/** What a relay thread forwards by; replaced as a whole. */
export interface RelayPolicy {
  readonly routes: RouteTable;
  readonly identityFields: IdentityFields;
  /** What becomes of the fields that clients send. */
  readonly requestFields: RequestFields;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** null: the gateway makes no spans. */
  readonly tracer: Tracer | null;
}

interface DownstreamOptions {
  readonly socket: TLSSocket;
  /** The TCP socket below: what resets the connection. */
  readonly transport: Socket;
  readonly caller: Caller;
  readonly account: ClientAccount;
  readonly policy: () => RelayPolicy;
  /** Asked before every message: false, and it is refused. */
  readonly permitted: () => boolean;
  /** Likewise: true, and it is refused. */
  readonly overloaded: () => boolean;
  /** Likewise: true, and it is refused. */
  readonly auditUnavailable: () => boolean;
  readonly recorder: Recorder;
}

/** `answer`: the request is complete, its answer is not; `closing`: nothing more is read. */
type Phase = 'idle' | 'head' | 'body' | 'answer' | 'closing';

const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
const nothing: Span = { bytes: Buffer.alloc(0), at: 0, end: 0 };
const headTimeout: RefusedHead = { kind: 'refused', refusal: 'head_timeout', method: null, path: null };
const never = Number.POSITIVE_INFINITY;

export class Downstream implements ExchangeClient {
  readonly caller: Caller;
  readonly account: ClientAccount;
  readonly recorder: Recorder;

  readonly #introduction: ForwardedIdentity;

  readonly #socket: TLSSocket;
  readonly #transport: Socket;
  readonly #currentPolicy: () => RelayPolicy;
  readonly #permitted: () => boolean;
  readonly #overloaded: () => boolean;
  readonly #auditUnavailable: () => boolean;
  #policy: RelayPolicy;
  readonly #heads = new RequestReader();
  readonly #reader = new BodyReader();
  readonly #exchange = new Exchange(this);
  readonly #alarm = new LazyTimer(() => this.#onAlarm());

  #phase: Phase = 'idle';
  /** When the phase times out, and when the exchange does; performance.now(), ms. */
  #phaseDue = never;
  #deadline = never;
  #requests = 0;
  #last = false;
  /** The client has closed its half. */
  #halfClosed = false;
  #chunkedRequest = false;
  /** Bytes of the next request that came before the answer to this one. */
  #waiting: Buffer | null = null;
  #shed: Shed | null = null;

  constructor(options: DownstreamOptions) {
    this.caller = options.caller;
    this.account = options.account;
    this.recorder = options.recorder;
    this.#introduction = new ForwardedIdentity(options.caller, options.transport);
    this.#socket = options.socket;
    this.#transport = options.transport;
    this.#currentPolicy = options.policy;
    this.#permitted = options.permitted;
    this.#overloaded = options.overloaded;
    this.#auditUnavailable = options.auditUnavailable;
    this.#policy = options.policy();
    this.#idle(performance.now());
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('drain', () => this.#exchange.onClientDrain());
    this.#socket.on('close', () => this.#onClose());
  }

  get proxyHeader(): Buffer {
    return this.#introduction.proxyHeader;
  }

  get limits(): Limits {
    return this.#policy.limits;
  }

  get lastExchange(): boolean {
    return this.#last;
  }

  /** From now on every answer is the connection's last; `now`: an idle connection is closed at once. */
  drain({ now }: { now: boolean }): void {
    this.#last = true;
    if (now && this.#phase === 'idle') this.#close();
  }

  /** The time for draining is over: what is under way fails, and an answer that has begun is cut. */
  abort(): void {
    this.#exchange.fail('shutdown');
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#phase === 'answer') {
      // Pipelined: kept where it is, one read at most, until the answer has left.
      this.#waiting = this.#waiting === null ? bytes : Buffer.concat([this.#waiting, bytes]);
      this.#socket.pause();
    } else this.#advance(bytes);
  };

  #advance(bytes: Buffer): void {
    let rest: Span = { bytes, at: 0, end: bytes.length };
    while (rest.at < rest.end && this.#phase !== 'answer' && this.#phase !== 'closing') {
      if (this.#phase === 'body') rest = this.#readBody(rest);
      else {
        this.#policy = this.#currentPolicy();
        const { limits, requestFields } = this.#policy;
        const head = this.#heads.read(rest, limits, requestFields);
        if (head === null) return this.#awaitHead();
        rest = this.#readRequest(head, this.#heads.rest);
      }
    }
    if (rest.at < rest.end && this.#phase === 'answer') {
      this.#waiting = rest.bytes.subarray(rest.at, rest.end);
      this.#socket.pause();
    }
  }

  /** An empty line before a head begins none: the connection rests as it did (RFC 9112 §2.2). */
  #awaitHead(): void {
    if (this.#phase === 'head' || !this.#heads.begun) return;
    this.#phase = 'head';
    const now = performance.now();
    this.#phaseDue = now + this.#policy.timeouts.head;
    this.#alarm.set(this.#phaseDue, now);
  }

  /** A complete head: checked, then sent on with what has come of its body; what is left after that. */
  #readRequest(head: RequestHead | RefusedHead, rest: Span): Span {
    const startedAt = performance.now();
    const { limits, routes, identityFields, tracer } = this.#policy;
    this.#requests++;
    // Idle no more, also where the head came in one piece: a permit that is withdrawn now is answered, not hung up on.
    this.#phase = 'head';
    if (head.kind === 'refused') return this.#refuse(head.refusal, head);
    if (!this.#permitted()) return this.#refuse('permit_withdrawn', head);
    // The cheapest first: a number of the thread's, one of the client's, and once the route is found one of the route's.
    if (this.#auditUnavailable()) return this.#turnAway('audit_unavailable', { head, rest });
    if (this.#overloaded()) return this.#turnAway('overloaded', { head, rest });
    if (this.account.inFlight >= limits.inFlightPerClient)
      return this.#turnAway('client_in_flight', { head, rest });
    const route = routes.find(head.path);
    if (route === null) return this.#refuse('no_route', head);
    if (route.meter.inFlight >= route.policy.inFlight)
      return this.#turnAway('route_in_flight', { head, rest, route });
    this.#reader.start(head.framing, { length: head.length, limits });
    const next = this.#reader.read(rest.bytes, rest.at, rest.end);
    if (this.#reader.fault !== null) return this.#refuse(this.#reader.fault, head);
    if (head.expectContinue && rest.at === rest.end) this.#socket.write(continueAnswer);

    this.#chunkedRequest = head.framing === 'chunked';
    this.#deadline = startedAt + route.policy.deadline;
    this.#enterBody(startedAt);
    const requestId = this.#requestId();
    const { id: traceId, fields, span } = tracer === null ? traceOf(head) : tracer.begin(head);
    const added = `${this.#introduction.fields(identityFields, head.host)}X-Request-Id: ${requestId}\r\n${fields}`;
    this.#exchange.begin({ head, route, requestId, traceId, span, added, startedAt }, this.#payload(rest));
    return { ...rest, at: next };
  }

  #readBody(rest: Span): Span {
    if (this.#shed !== null) return this.#discard(rest, this.#shed);
    const next = this.#reader.read(rest.bytes, rest.at, rest.end);
    if (this.#reader.fault !== null) {
      this.#exchange.fail(this.#reader.fault);
      return nothing;
    }
    this.#enterBody(performance.now());
    this.#exchange.body(this.#payload(rest));
    return { ...rest, at: next };
  }

  #payload({ bytes, at }: Span): Payload {
    return {
      bytes,
      at,
      end: this.#reader.payloadEnd,
      chunked: this.#chunkedRequest,
      last: this.#reader.done,
    };
  }

  #enterBody(now: number): void {
    this.#phase = this.#reader.done ? 'answer' : 'body';
    this.#phaseDue = this.#reader.done ? never : now + this.#policy.timeouts.bodyIdle;
    this.#alarm.set(Math.min(this.#phaseDue, this.#deadline), now);
  }

  #requestId(): string {
    return `${this.caller.connId}.${this.#requests}`;
  }

  get backedUp(): boolean {
    return this.#socket.writableNeedDrain;
  }

  send(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  pauseRequest(): void {
    this.#socket.pause();
    // Standing still is the host's doing now; the deadline goes on.
    this.#phaseDue = never;
  }

  resumeRequest(): void {
    if (this.#phase === 'body') this.#enterBody(performance.now());
    else if (this.#phase !== 'answer' || this.#waiting !== null) return;
    this.#socket.resume();
  }

  exchangeDone(close: boolean): void {
    this.#deadline = never;
    if (close) return this.#close();
    if (this.#waiting === null && !this.#socket.isPaused()) return this.#next();
    // What else the host sent is perhaps read, and not told yet: it must not pass for the answer to the next request.
    setImmediate(() => {
      if (this.#phase !== 'closing') this.#next();
    });
  }

  #next(): void {
    if (this.#last) return this.#close();
    this.#idle(performance.now());
    this.#socket.resume();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#advance(waiting);
    if (this.#halfClosed && this.#phase !== 'closing') this.#onEnd();
  }

  cut(): void {
    this.#phase = 'closing';
    // RST, without close_notify: no answer that ends with the connection can look complete.
    this.#transport.resetAndDestroy();
    this.#socket.destroy();
  }

  #idle(now: number): void {
    this.#phase = 'idle';
    this.#phaseDue = now + this.#policy.timeouts.keepAlive;
    this.#alarm.set(this.#phaseDue, now);
  }

  /** Timers come before sockets: what the client sent while the event loop stood still is read first. */
  #onAlarm(): void {
    setImmediate(() => {
      if (this.#phase !== 'closing') this.#onDue(performance.now());
    });
  }

  #onDue(now: number): void {
    if (now >= this.#deadline) return this.#exchange.fail(this.#heldUpBy());
    if (now < this.#phaseDue) return this.#alarm.set(Math.min(this.#phaseDue, this.#deadline), now);
    if (this.#phase === 'idle') this.#close();
    else if (this.#phase === 'head') this.#readRequest(headTimeout, nothing);
    else if (this.#shed !== null) this.#close(this.#shed.answer({ close: true }));
    else if (this.#phase === 'body') this.#exchange.fail('body_timeout');
  }

  /** Whom the deadline found everybody waiting for: a client that does not take the answer, or send its body; or the host. */
  #heldUpBy(): 'answer_unread' | 'body_timeout' | 'deadline' {
    if (this.#exchange.awaitsReader) return 'answer_unread';
    // Without a due time of its own the body waits for the host.
    return this.#phase === 'body' && this.#phaseDue !== never ? 'body_timeout' : 'deadline';
  }

  /** A request that is not sent on at all; the connection ends with the answer, so nothing is left to read. */
  #refuse(reason: RefusalName, head: RequestHead | RefusedHead): Span {
    const { status } = messageRefusals[reason];
    const requestId = this.#requestId();
    const { tracer } = this.#policy;
    const traceId = tracer && recordRefusalSpan(this, tracer, { head, requestId, status, reason });
    recordRefusal(this.recorder, { connId: this.caller.connId, requestId, traceId, status, reason, head });
    this.#close(errorAnswer({ status, requestId, close: true, bodyless: head.method === 'HEAD' }));
    return nothing;
  }

  /** A request that is refused for the load there is: where it can, its connection stays. */
  #turnAway(
    reason: ShedReason,
    { head, rest, route = null }: { head: RequestHead; rest: Span; route?: Route | null },
  ): Span {
    const { limits, timeouts, tracer } = this.#policy;
    const requestId = this.#requestId();
    const { status } = messageRefusals[reason];
    const traceId = tracer && recordRefusalSpan(this, tracer, { head, requestId, status, reason });
    const facts = { reason, connId: this.caller.connId, requestId, traceId, head, route };
    this.#shed = new Shed(facts, { limits, rest });
    this.#shed.record(this.recorder);
    this.#phase = 'body';
    // All of the body has the time that else one piece of it has.
    const now = performance.now();
    this.#phaseDue = now + timeouts.bodyIdle;
    this.#alarm.set(this.#phaseDue, now);
    return this.#discard(rest, this.#shed);
  }

  #discard(rest: Span, shed: Shed): Span {
    const next = shed.read(rest);
    if (!shed.over) return { ...rest, at: next };
    // Who does not take these answers must not make them pile up.
    const close = !shed.keepsAlive || this.#last || this.backedUp;
    if (close) {
      this.#close(shed.answer({ close }));
      return nothing;
    }
    this.#shed = null;
    this.#socket.write(shed.answer({ close }));
    this.#idle(performance.now());
    return { ...rest, at: next };
  }

  #close(answer: Buffer | null = null): void {
    this.#phase = 'closing';
    this.#alarm.clear();
    this.#waiting = null;
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    lingeringClose(this.#socket, answer);
  }

  /** The client has closed its half: between requests that is the end; what it asked for before it still wants. */
  readonly #onEnd = (): void => {
    this.#halfClosed = true;
    if (this.#phase === 'answer') this.#last ||= this.#waiting === null;
    else if (this.#phase === 'body') this.#socket.destroy();
    else this.#close();
  };

  #onClose(): void {
    this.#phase = 'closing';
    this.#alarm.clear();
    this.#exchange.clientGone();
  }
}
