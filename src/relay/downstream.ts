/** An admitted client's connection: its requests one after another, each answered before the next is read. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { messageLine } from '../audit/record.ts';
import { errorAnswer } from '../message/answer.ts';
import { BodyReader } from '../message/framing.ts';
import { HeadIntake } from '../message/intake.ts';
import { lingeringClose } from '../message/linger.ts';
import { messageRefusals, type RefusalName } from '../message/refusal.ts';
import { parseRequestHead, type RefusedHead, type RequestHead } from '../message/request.ts';
import { BROKEN, INCOMPLETE } from '../message/section.ts';
import type { Limits, Timeouts } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Alarm } from './alarm.ts';
import { type Caller, identityFields } from './caller.ts';
import { Exchange, type ExchangeClient } from './exchange.ts';
import type { RouteTable } from './route.ts';

/** What a relay thread forwards by; replaced as a whole. */
export interface RelayPolicy {
  readonly routes: RouteTable;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
}

interface DownstreamOptions {
  readonly socket: TLSSocket;
  /** The TCP socket below: what resets the connection. */
  readonly transport: Socket;
  readonly caller: Caller;
  readonly policy: () => RelayPolicy;
  readonly recorder: Recorder;
}

/** `answer`: the request is complete, its answer is not; `closing`: nothing more is read. */
type Phase = 'idle' | 'head' | 'body' | 'answer' | 'closing';

const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
const never = Number.POSITIVE_INFINITY;

export class Downstream implements ExchangeClient {
  readonly caller: Caller;
  readonly recorder: Recorder;
  readonly identity: string;

  readonly #socket: TLSSocket;
  readonly #transport: Socket;
  readonly #currentPolicy: () => RelayPolicy;
  #policy: RelayPolicy;
  readonly #intake = new HeadIntake();
  readonly #reader = new BodyReader();
  readonly #exchange = new Exchange(this);
  readonly #alarm = new Alarm((now) => this.#onAlarm(now));

  #phase: Phase = 'idle';
  /** When the phase times out, and when the exchange does; performance.now(), ms. */
  #phaseDue = never;
  #deadline = never;
  #requests = 0;
  #last = false;
  #chunkedRequest = false;
  /** Bytes of the next request that came before the answer to this one. */
  #waiting: Buffer | null = null;

  constructor(options: DownstreamOptions) {
    this.caller = options.caller;
    this.recorder = options.recorder;
    this.identity = identityFields(options.caller);
    this.#socket = options.socket;
    this.#transport = options.transport;
    this.#currentPolicy = options.policy;
    this.#policy = options.policy();
    this.#idle(performance.now());
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('drain', () => this.#exchange.onClientDrain());
    this.#socket.on('close', () => this.#onClose());
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

  readonly #onData = (bytes: Buffer): void => {
    if (this.#phase === 'answer') {
      // Pipelined: kept where it is, one read at most, until the answer has left.
      this.#waiting = this.#waiting === null ? bytes : Buffer.concat([this.#waiting, bytes]);
      this.#socket.pause();
    } else this.#advance(bytes);
  };

  #advance(bytes: Buffer): void {
    let at = 0;
    let end = bytes.length;
    while (at < end && this.#phase !== 'answer' && this.#phase !== 'closing') {
      if (this.#phase === 'body') {
        at = this.#readBody(bytes, at, end);
        continue;
      }
      const found = this.#intake.offer(bytes, at, end);
      const length = (found === INCOMPLETE ? this.#intake.end : found) - this.#intake.start;
      if (found === BROKEN) return this.#refuse('line_end');
      if (length > this.#policy.limits.head) return this.#refuse(this.#tooLong());
      if (found === INCOMPLETE) return this.#awaitHead();
      ({ bytes, end } = this.#intake);
      at = this.#readRequest(this.#intake.text(found), { bytes, at: found, end });
    }
    if (at < end && this.#phase === 'answer') {
      this.#waiting = bytes.subarray(at, end);
      this.#socket.pause();
    }
  }

  #awaitHead(): void {
    if (this.#phase === 'head') return;
    this.#phase = 'head';
    const now = performance.now();
    this.#phaseDue = now + this.#policy.timeouts.head;
    this.#alarm.set(this.#phaseDue, now);
  }

  #tooLong(): RefusalName {
    const { bytes, start, end } = this.#intake;
    return bytes.subarray(start, end).indexOf('\r\n') === -1 ? 'target_length' : 'head_length';
  }

  /** A complete head: checked, then sent on with what has come of its body; the index after what was read. */
  #readRequest(text: string, rest: { bytes: Buffer; at: number; end: number }): number {
    const { bytes, at, end } = rest;
    const startedAt = performance.now();
    this.#policy = this.#currentPolicy();
    const { limits, routes } = this.#policy;
    this.#requests++;
    const head = parseRequestHead(text, limits);
    if (head.kind === 'refused') {
      this.#refuse(head.refusal, head);
      return end;
    }
    const route = routes.find(head.path);
    if (route === null) {
      this.#refuse('no_route', head);
      return end;
    }
    this.#reader.start(head.framing, { length: head.length, limits });
    const next = this.#reader.read(bytes, at, end);
    if (this.#reader.fault !== null) {
      this.#refuse(this.#reader.fault, head);
      return end;
    }
    if (head.expectContinue && at === end) this.#socket.write(continueAnswer);

    this.#chunkedRequest = head.framing === 'chunked';
    this.#deadline = startedAt + route.policy.deadline;
    this.#enterBody(startedAt);
    const requestId = this.#requestId();
    this.#exchange.begin({ head, route, requestId, startedAt }, this.#payload(bytes, at));
    return next;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const next = this.#reader.read(bytes, at, end);
    if (this.#reader.fault !== null) {
      this.#exchange.fail(this.#reader.fault);
      return end;
    }
    this.#enterBody(performance.now());
    this.#exchange.body(this.#payload(bytes, at));
    return next;
  }

  #payload(bytes: Buffer, at: number) {
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

  send(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  pauseRequest(): void {
    this.#socket.pause();
    // Standing still is the host's doing now; the deadline goes on.
    this.#phaseDue = never;
  }

  resumeRequest(): void {
    if (this.#phase !== 'body') return;
    this.#enterBody(performance.now());
    this.#socket.resume();
  }

  exchangeDone(close: boolean): void {
    this.#deadline = never;
    if (close || this.#last) return this.#close();
    this.#idle(performance.now());
    this.#socket.resume();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#advance(waiting);
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

  #onAlarm(now: number): void {
    if (now >= this.#deadline) return this.#exchange.fail('deadline');
    if (now < this.#phaseDue) return this.#alarm.set(Math.min(this.#phaseDue, this.#deadline), now);
    if (this.#phase === 'idle') this.#close();
    else if (this.#phase === 'head') this.#refuse('head_timeout');
    else if (this.#phase === 'body') this.#exchange.fail('body_timeout');
  }

  /** A request that is not sent on at all; the connection ends with the answer. */
  #refuse(refusal: RefusalName, head: RequestHead | RefusedHead | null = null): void {
    // A head that could not be read counts as a request too.
    if (head === null) this.#requests++;
    const { status } = messageRefusals[refusal];
    const requestId = this.#requestId();
    this.recorder.meter.message('none', status, Number.NaN, Number.NaN);
    this.recorder.audit(
      messageLine({
        time: Date.now(),
        connId: this.caller.connId,
        requestId,
        route: null,
        method: head?.method ?? null,
        path: head?.path ?? null,
        status,
        requestBytes: 0,
        responseBytes: 0,
        upstreamMs: Number.NaN,
        totalMs: Number.NaN,
        outcome: 'denied',
        reason: refusal,
      }),
    );
    this.#close(errorAnswer({ status, requestId, close: true, bodyless: head?.method === 'HEAD' }));
  }

  #close(answer: Buffer | null = null): void {
    this.#phase = 'closing';
    this.#alarm.clear();
    this.#waiting = null;
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    lingeringClose(this.#socket, answer);
  }

  /** The client has closed its half: between requests that is the end, after a request it still wants the answer. */
  readonly #onEnd = (): void => {
    if (this.#phase === 'answer') this.#last = true;
    else if (this.#phase === 'idle') this.#close();
    else this.#socket.destroy();
  };

  #onClose(): void {
    this.#phase = 'closing';
    this.#alarm.clear();
    this.#exchange.clientGone();
  }
}
