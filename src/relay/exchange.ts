/** One request and its one response: the host's half of it. The client's half is downstream.ts. */
import { errorAnswer } from '../message/answer.ts';
import { BodyReader } from '../message/framing.ts';
import { ResponseReader, type Span } from '../message/head-reader.ts';
import {
  messageRefusals,
  type RefusalName,
  type UpstreamFailureName,
  upstreamFailures,
} from '../message/refusal.ts';
import type { ResponseHead } from '../message/response.ts';
import {
  assemble,
  type Payload,
  writeRequestEnd,
  writeRequestStart,
  writeResponseHead,
} from '../message/write.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { UpstreamConnection, UpstreamLoss } from '../upstream/connection.ts';
import type { DialUser } from '../upstream/dial.ts';
import type { Caller } from './caller.ts';
import { Delivery } from './delivery.ts';
import { type Message, type Outcome, recordExchange } from './record.ts';

/** The client's half, as the exchange sees it. */
export interface ExchangeClient {
  readonly caller: Caller;
  /** Made once a connection, when the first endpoint asks for it. */
  readonly proxyHeader: Buffer;
  readonly limits: Limits;
  readonly recorder: Recorder;
  /** The connection must end after the answer at hand. */
  readonly lastExchange: boolean;
  /** False: wait for the client's drain before more is sent. */
  send(bytes: Buffer): boolean;
  /** The host cannot take more of the request now; `resumeRequest` follows. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** The answer is complete and has left. */
  exchangeDone(close: boolean): void;
  /** The answer ended in the middle: the connection is reset, so that nobody takes it for complete. */
  cut(): void;
}

const unlimited = Number.MAX_SAFE_INTEGER;

/** Made once a connection and used for its messages one after another. */
export class Exchange implements DialUser {
  readonly #client: ExchangeClient;
  readonly #heads = new ResponseReader();
  readonly #reader = new BodyReader();

  readonly #delivery = new Delivery(this);

  #message: Message | null = null;
  #requestComplete = false;
  #requestBytes = 0;
  #answer: ResponseHead | null = null;
  #chunked = false;
  #close = false;
  #answered = false;
  /** performance.now() when the host was first reached for, and how long it took to answer in full. */
  #askedAt = 0;
  #upstreamMs = Number.NaN;

  constructor(client: ExchangeClient) {
    this.#client = client;
  }

  get proxyHeader(): Buffer {
    return this.#client.proxyHeader;
  }

  /** Sends the head, with what has come of the body, to the route's host. At most once: nothing is ever repeated. */
  begin(message: Message, payload: Payload): void {
    this.#message = message;
    this.#answer = null;
    this.#answered = false;
    this.#upstreamMs = Number.NaN;
    this.#requestComplete = payload.last;
    this.#requestBytes = payload.end - payload.at;
    this.#client.recorder.meter.inFlight++;
    const { head, route, added } = message;
    const text = writeRequestStart(head, route.upstream.authority) + added + writeRequestEnd(head);
    this.#heads.reset();
    this.#askedAt = performance.now();
    this.#delivery.begin(route.upstream, this.#askedAt);
    this.#toHost(assemble(text, payload));
  }

  /** The next stretch of the request's body. */
  body(payload: Payload): void {
    this.#requestComplete = payload.last;
    this.#requestBytes += payload.end - payload.at;
    const size = payload.end - payload.at;
    if (payload.chunked ? size > 0 || payload.last : size > 0) this.#toHost(assemble('', payload));
  }

  #toHost(bytes: Buffer): void {
    if (this.#delivery.write(bytes)) return;
    // Of a complete request nothing more can come while the connection is made.
    if (!this.#requestComplete || !this.#delivery.dialing) this.#client.pauseRequest();
  }

  onUpstreamConnect(connection: UpstreamConnection): void {
    if (this.#delivery.connected(connection)) this.#client.resumeRequest();
  }

  onUpstreamDrain(): void {
    this.#client.resumeRequest();
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    let rest: Span = { bytes, at: 0, end };
    if (this.#answer !== null) return this.#answerBody('', rest);
    const { head: request } = this.#message as Message;
    let flowing = true;
    while (rest.at < rest.end) {
      const head = this.#heads.read(rest, {
        toHead: request.method === 'HEAD',
        limits: this.#client.limits,
      });
      if (head === null) break;
      // 101: no upgrade was asked for, so none can be agreed to.
      if (head === 'malformed' || head.status === 101) return this.fail('bad_answer');
      rest = this.#heads.rest;
      if (head.status >= 200) return this.#beginAnswer(head, rest);
      // 100 was the gateway's to give; HTTP/1.0 knows no interim answers (RFC 9110 §15.2).
      if (head.status !== 100 && request.minor === 1) {
        const interim = writeResponseHead(head, { chunked: false, close: false });
        flowing = this.#client.send(Buffer.from(interim, 'latin1'));
      }
    }
    if (!flowing) this.#delivery.pause();
  }

  #beginAnswer(head: ResponseHead, rest: Span): void {
    const { head: request } = this.#message as Message;
    this.#answer = head;
    this.#chunked = request.minor === 1 && (head.framing === 'chunked' || head.framing === 'close');
    // An answer before the whole request is in: what follows on this connection could not be told from its body.
    this.#close = !request.keepAlive || !this.#requestComplete || this.#client.lastExchange;
    const { limits } = this.#client;
    this.#reader.start(head.framing, {
      length: head.length,
      limits: { body: unlimited, head: limits.head, fields: limits.fields },
    });
    const text = writeResponseHead(head, { chunked: this.#chunked, close: this.#close });
    this.#answerBody(text, rest);
  }

  #answerBody(head: string, { bytes, at, end }: Span): void {
    if (this.#answered) return this.#delivery.drop();
    const next = this.#reader.read(bytes, at, end);
    if (this.#reader.fault !== null) return this.fail(head === '' ? 'answer_cut' : 'bad_answer');
    const last = this.#reader.done;
    const payloadEnd = this.#reader.payloadEnd;
    let flowing = true;
    if (head !== '' || payloadEnd > at || (last && this.#chunked)) {
      flowing = this.#client.send(
        assemble(head, { bytes, at, end: payloadEnd, chunked: this.#chunked, last }),
      );
    }
    if (last) this.#endAnswer({ flowing, surplus: next < end });
    else if (!flowing) this.#delivery.pause();
  }

  #endAnswer({ flowing, surplus }: { flowing: boolean; surplus: boolean }): void {
    this.#answered = true;
    this.#upstreamMs = performance.now() - this.#askedAt;
    const answer = this.#answer;
    if (answer?.reusable && this.#requestComplete && !surplus) this.#delivery.finish(answer.idleSeconds);
    else this.#delivery.drop();
    if (flowing) this.#end('answered', null);
  }

  /** What was sent to the client has left. */
  onClientDrain(): void {
    if (this.#message === null) return;
    if (this.#answered) this.#end('answered', null);
    else this.#delivery.resume();
  }

  onUpstreamEnd(): void {
    if (this.#answer?.framing !== 'close' || this.#answered) return this.onUpstreamLost('closed_early');
    this.#reader.close();
    const flowing = this.#chunked
      ? this.#client.send(assemble('', { bytes: Buffer.alloc(0), at: 0, end: 0, chunked: true, last: true }))
      : true;
    this.#endAnswer({ flowing, surplus: false });
  }

  onUpstreamLost(why: UpstreamLoss): void {
    this.fail(this.#answer === null ? why : 'answer_cut');
  }

  /** The exchange ends without the host's whole answer: an error if none of it was sent, else a cut connection. */
  fail(why: UpstreamFailureName | RefusalName): void {
    const message = this.#message;
    if (message === null) return;
    this.#delivery.drop();
    if (!this.#answered) this.#upstreamMs = performance.now() - this.#askedAt;
    if (this.#answer !== null && why !== 'bad_answer') {
      this.#end('cut', why);
      return this.#client.cut();
    }
    const refused = why in messageRefusals;
    const { status } = refused
      ? messageRefusals[why as RefusalName]
      : upstreamFailures[why as UpstreamFailureName];
    this.#answer = null;
    this.#close = refused || !message.head.keepAlive || !this.#requestComplete || this.#client.lastExchange;
    const bodyless = message.head.method === 'HEAD';
    const { requestId } = message;
    this.#client.send(errorAnswer({ status, requestId, close: this.#close, bodyless }));
    this.#end(refused ? 'denied' : 'failed', why, status);
  }

  clientGone(): void {
    this.#delivery.close();
    if (this.#message !== null) this.#end('client_gone', null);
  }

  #end(outcome: Outcome, reason: string | null, status: number | null = this.#answer?.status ?? null): void {
    const message = this.#message as Message;
    this.#message = null;
    this.#client.recorder.meter.inFlight--;
    recordExchange(this.#client, message, {
      outcome,
      reason,
      status,
      endpoint: this.#delivery.endpoint,
      requestBytes: this.#requestBytes,
      responseBytes: this.#answer === null ? 0 : this.#reader.received,
      upstreamMs: this.#upstreamMs,
    });
    if (outcome !== 'cut' && outcome !== 'client_gone') this.#client.exchangeDone(this.#close);
  }
}
