/** One request and its one response: the host's half of it. The client's half is downstream.ts. */
import { errorAnswer } from '../message/answer.ts';
import {
  isHostFailure,
  isRefusal,
  messageRefusals,
  type RefusalName,
  type UpstreamFailureName,
  upstreamFailures,
} from '../message/refusal.ts';
import { assemble, type Payload, writeRequestEnd, writeRequestStart } from '../message/write.ts';
import type { UpstreamConnection, UpstreamLoss } from '../upstream/connection.ts';
import type { DialUser } from '../upstream/dial.ts';
import type { ExchangeClient } from './client.ts';
import { type AnswerSender, HostAnswer } from './host-response.ts';
import { type Message, type Outcome, recordExchange } from './record.ts';
import { ResponseTimeout } from './response-timeout.ts';
import { Delivery } from './upstream-lease.ts';

/**
 * With the first message on a connection alone: the field says nothing new (RFC 9112 §9.3), but Apache tells its
 * keep-alive timeout to those alone that send it, and an answer that tells it every time differs every time.
 */
const askKeepAlive = 'Connection: keep-alive\r\n';

/** Made once a connection and used for its messages one after another. */
export class Exchange implements DialUser, AnswerSender {
  readonly #client: ExchangeClient;
  readonly #delivery = new Delivery(this);
  readonly #answer = new HostAnswer(this);
  readonly #patience = new ResponseTimeout((why) => this.fail(why));

  #message: Message | null = null;
  #requestComplete = false;
  #requestBytes = 0;
  #close = false;
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
    const { head, route, added } = message;
    const { contentLength } = route.policy;
    this.#message = message;
    this.#upstreamMs = Number.NaN;
    this.#requestComplete = payload.last;
    this.#requestBytes = payload.end - payload.at;
    this.#count(message, 1);
    const { familiar } = route.upstream;
    this.#answer.begin({ request: head, limits: this.#client.limits, contentLength, familiar });
    this.#patience.begin(route.policy);
    this.#askedAt = performance.now();
    this.#delivery.begin(route.upstream, this.#askedAt);
    const asked = this.#delivery.dialing && route.upstream.reuses ? askKeepAlive : '';
    const start = writeRequestStart(head, route.upstream.authority);
    this.#toHost(assemble(start + added + asked + writeRequestEnd(head), payload));
  }

  /** The next stretch of the request's body. */
  body(payload: Payload): void {
    const size = payload.end - payload.at;
    this.#requestComplete = payload.last;
    this.#requestBytes += size;
    if (size > 0 || (payload.chunked && payload.last)) this.#toHost(assemble('', payload));
  }

  #toHost(bytes: Buffer): void {
    const flowing = this.#delivery.write(bytes);
    // Of a complete request nothing more can come while the connection is made.
    if (!flowing && !(this.#requestComplete && this.#delivery.dialing)) this.#client.pauseRequest();
    this.#awaitHost();
  }

  /** The host's time begins anew once it has a connection and the whole request, and the client takes what came. */
  #awaitHost(): void {
    const clientsTurn = this.#answer.complete || this.#delivery.paused;
    if (this.#requestComplete && !this.#delivery.dialing && !clientsTurn) this.#patience.wait();
  }

  onUpstreamConnect(connection: UpstreamConnection): void {
    if (this.#delivery.connected(connection)) this.#client.resumeRequest();
    this.#awaitHost();
  }

  onUpstreamDrain(): void {
    this.#client.resumeRequest();
    this.#awaitHost();
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    this.#patience.heard();
    const fault = this.#answer.read(bytes, end);
    if (fault !== null) return this.fail(fault.why, fault.cause);
    if (this.#answer.complete) return this.#complete();
    if (this.#answer.flowing) return this.#awaitHost();
    this.#delivery.pause();
    this.#patience.rest();
  }

  onUpstreamEnd(): void {
    if (this.#answer.close()) this.#complete();
    else this.onUpstreamLost('closed_early', 'closed');
  }

  onUpstreamLost(why: UpstreamLoss, cause: string): void {
    this.fail(this.#answer.head === null ? why : 'answer_cut', cause);
  }

  /** The host has done its part, or waits, because the client does not take what was sent to it. */
  get awaitsReader(): boolean {
    return this.#message !== null && (this.#answer.complete || this.#delivery.paused);
  }

  /** The host is let go of, whether or not the client has taken everything. */
  #complete(): void {
    const { head, surplus, flowing } = this.#answer;
    this.#patience.rest();
    this.#upstreamMs = performance.now() - this.#askedAt;
    const reusable = head?.reusable && this.#requestComplete && this.#delivery.drained && !surplus;
    this.#delivery.finish(reusable ? head.idleSeconds : null);
    if (flowing) this.#end('answered', null);
  }

  send(bytes: Buffer): boolean {
    return this.#client.send(bytes);
  }

  /** What is said in the answer's head then holds. */
  endsWithAnswer(): boolean {
    const { head } = this.#message as Message;
    // An answer before the whole request is in: what follows on this connection could not be told from its body.
    this.#close = !head.keepAlive || !this.#requestComplete || this.#client.lastExchange;
    return this.#close;
  }

  /** RFC 9112 §9.8: over TLS only an alert does, and Node does not tell whether one came before the FIN. */
  get finProves(): boolean {
    return !this.#delivery.secure;
  }

  /** What was sent to the client has left. */
  onClientDrain(): void {
    if (this.#message === null) return;
    if (this.#answer.complete) return this.#end('answered', null);
    this.#delivery.resume();
    this.#awaitHost();
  }

  /**
   * The exchange ends without the host's whole answer: an error if none of it was sent, else a cut connection. `cause`:
   * what the log says of a host that failed; by default `why` says all.
   */
  fail(why: UpstreamFailureName | RefusalName, cause: string = why): void {
    const message = this.#message;
    if (message === null) return;
    if (isHostFailure(why)) this.#delivery.hostFailed(why, cause);
    this.#delivery.drop();
    // The time that a client took is none of the host's.
    if (!this.#answer.complete && !isRefusal(why)) this.#upstreamMs = performance.now() - this.#askedAt;
    if (this.#answer.begun) {
      this.#end('cut', why);
      return this.#client.cut();
    }
    const refused = isRefusal(why);
    const { status } = refused ? messageRefusals[why] : upstreamFailures[why];
    // Who does not take these answers must not make them pile up.
    const close = this.endsWithAnswer() || refused || this.#client.backedUp;
    this.#close = close;
    const { requestId, head } = message;
    this.#client.send(errorAnswer({ status, requestId, close, bodyless: head.method === 'HEAD' }));
    this.#end(refused ? 'denied' : 'failed', why, status);
  }

  clientGone(): void {
    this.#patience.end();
    this.#delivery.close();
    if (this.#message !== null) this.#end('client_gone', null);
  }

  /** Every message that began is under way exactly until `#end`. */
  #count({ route }: Message, by: 1 | -1): void {
    this.#client.recorder.meter.inFlight += by;
    this.#client.account.inFlight += by;
    route.meter.inFlight += by;
  }

  /** `status`: of an error of the gateway's own; absent: of what was sent of the host's answer. */
  #end(outcome: Outcome, reason: string | null, status: number | null = null): void {
    const answer = this.#answer;
    const { head } = answer;
    const message = this.#message as Message;
    this.#message = null;
    this.#patience.rest();
    this.#count(message, -1);
    recordExchange(this.#client, message, {
      outcome,
      reason,
      status: answer.begun && head !== null ? head.status : status,
      endpoint: this.#delivery.endpoint,
      upstreamReused: this.#delivery.reused,
      requestBytes: this.#requestBytes,
      responseBytes: answer.begun ? answer.received : 0,
      askedAt: this.#askedAt,
      upstreamMs: this.#upstreamMs,
      untyped: outcome === 'answered' && answer.untyped,
    });
    answer.end();
    if (outcome !== 'cut' && outcome !== 'client_gone') this.#client.exchangeDone(this.#close);
  }
}
