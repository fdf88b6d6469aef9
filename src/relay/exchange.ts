/** One request and its response: the host's side. The client's side is downstream.ts. */
import { errorResponse } from '../message/error-response.ts';
import { assemble, type Payload, writeRequestEnd, writeRequestStart } from '../message/head-writer.ts';
import type { UpstreamLoss } from '../upstream/connect-failure.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { FailoverUser } from '../upstream/failover.ts';
import type { ExchangeClient } from './exchange-client.ts';
import { type ExchangeFailure, type Message, type Outcome, statusOf } from './exchange-facts.ts';
import { recordExchange } from './exchange-record.ts';
import { FirstByteTimeout } from './first-byte-timeout.ts';
import { HostResponse, type ResponseSender } from './host-response.ts';
import { UpstreamLease } from './upstream-lease.ts';

/**
 * Sent only with the first message on a connection. It is redundant (RFC 9112 §9.3), but Apache announces its keep-alive
 * timeout only to clients that send it. Not sent again, because the announcement makes every response head differ.
 */
const requestKeepAlive = 'Connection: keep-alive\r\n';

/** Made once for a client's connection, and used for its messages in turn. */
export class Exchange implements FailoverUser, ResponseSender {
  readonly #client: ExchangeClient;
  readonly #lease = new UpstreamLease(this);
  readonly #response = new HostResponse(this);
  readonly #timeout = new FirstByteTimeout((reason) => this.fail({ side: 'host', reason, cause: reason }));

  #message: Message | null = null;
  #requestComplete = false;
  #requestBytes = 0;
  /** performance.now() when the message was given to the upstream, and the time until the host's complete response. */
  #forwardedAt = 0;
  #upstreamMs = Number.NaN;

  constructor(client: ExchangeClient) {
    this.#client = client;
  }

  get proxyHeader(): Buffer {
    return this.#client.proxyHeader;
  }

  /** Sends the head and the received part of the body to the route's host, at most once: a message is never sent again. */
  begin(message: Message, payload: Payload): void {
    const { head, route, added } = message;
    const { contentLength } = route.policy;
    this.#message = message;
    this.#upstreamMs = Number.NaN;
    this.#requestComplete = payload.last;
    this.#requestBytes = payload.end - payload.at;
    this.#countInFlight(message, 1);
    const { headCache } = route.upstream;
    this.#response.begin({ request: head, limits: this.#client.limits, contentLength, headCache });
    this.#timeout.begin(route.policy);
    this.#forwardedAt = performance.now();
    this.#lease.begin(route.upstream, this.#forwardedAt);
    const keepAlive = this.#lease.dialing && route.upstream.reuses ? requestKeepAlive : '';
    const start = writeRequestStart(head, route.upstream.authority);
    this.#sendToHost(assemble(start + added + keepAlive + writeRequestEnd(head), payload));
  }

  /** Sends the next part of the request's body. */
  sendBody(payload: Payload): void {
    const size = payload.end - payload.at;
    this.#requestComplete = payload.last;
    this.#requestBytes += size;
    if (size > 0 || (payload.chunked && payload.last)) this.#sendToHost(assemble('', payload));
  }

  #sendToHost(bytes: Buffer): void {
    const flowing = this.#lease.write(bytes);
    // While dialing, a complete request needs no pause: no more of it follows.
    if (!flowing && !(this.#requestComplete && this.#lease.dialing)) this.#client.pauseRequest();
    this.#awaitHost();
  }

  /**
   * Starts the response timeout, or starts it again, if the whole request was written to the connection (a part may still be
   * in a send buffer) and the client reads what the host sends.
   */
  #awaitHost(): void {
    const awaitsClient = this.#response.complete || this.#lease.paused;
    if (this.#requestComplete && !this.#lease.dialing && !awaitsClient) this.#timeout.start();
  }

  onUpstreamConnect(connection: UpstreamConnection): void {
    if (this.#lease.connected(connection)) this.#client.resumeRequest();
    this.#awaitHost();
  }

  onUpstreamDrain(): void {
    this.#client.resumeRequest();
    this.#awaitHost();
  }

  onUpstreamBytes(bytes: Buffer, end: number): void {
    this.#timeout.received();
    const fault = this.#response.read(bytes, end);
    if (fault !== null) return this.fail({ side: 'host', reason: fault.why, cause: fault.cause });
    if (this.#response.complete) return this.#complete();
    if (this.#response.flowing) return this.#awaitHost();
    this.#lease.pause();
    this.#timeout.stop();
  }

  onUpstreamEnd(): void {
    if (this.#response.onFin()) this.#complete();
    else this.onUpstreamLost('closed_early', 'closed');
  }

  onUpstreamLost(why: UpstreamLoss, cause: string): void {
    this.fail({ side: 'host', reason: this.#response.head === null ? why : 'answer_cut', cause });
  }

  /** The exchange waits for the client to read the response. */
  get awaitsReader(): boolean {
    return this.#message !== null && (this.#response.complete || this.#lease.paused);
  }

  /** Releases the host's connection at once, even if the client has not read everything yet. */
  #complete(): void {
    const { head, surplus, flowing } = this.#response;
    this.#timeout.stop();
    this.#upstreamMs = performance.now() - this.#forwardedAt;
    const reusable = head?.reusable && this.#requestComplete && this.#lease.drained && !surplus;
    this.#lease.finish(reusable ? head.idleSeconds : null);
    if (flowing) this.#endAnswered();
  }

  send(bytes: Buffer): boolean {
    return this.#client.send(bytes);
  }

  get mustClose(): boolean {
    const { head } = this.#message as Message;
    // After a response to an incomplete request, the next request could not be distinguished from the rest of the body.
    return !head.keepAlive || !this.#requestComplete || this.#client.lastExchange;
  }

  /** RFC 9112 §9.8: over TLS only a close_notify does, and Node does not report whether one preceded the FIN. */
  get finProves(): boolean {
    return !this.#lease.secure;
  }

  onClientDrain(): void {
    if (this.#message === null) return;
    if (this.#response.complete) return this.#endAnswered();
    this.#lease.resume();
    this.#awaitHost();
  }

  /**
   * Ends the exchange without a complete response of the host: sends an error response, or cuts the connection if a part
   * of the host's response was sent. Does nothing between two exchanges.
   */
  fail(failure: ExchangeFailure): void {
    const message = this.#message;
    if (message === null) return;
    if (failure.side === 'host') this.#lease.hostFailed(failure.reason, failure.cause);
    this.#lease.drop();
    // The time that a client took does not count as the host's.
    if (!this.#response.complete && failure.side !== 'client')
      this.#upstreamMs = performance.now() - this.#forwardedAt;
    if (this.#response.begun) {
      this.#end('cut', failure);
      return this.#client.cut();
    }
    const denied = failure.side === 'client';
    const status = statusOf(failure);
    // Close instead of queueing when the client does not read its responses.
    const close = this.mustClose || denied || this.#client.backedUp;
    const { requestId, head } = message;
    this.#client.send(errorResponse({ status, requestId, close, bodyless: head.method === 'HEAD' }));
    this.#end(denied ? 'denied' : 'failed', failure, status);
    this.#client.exchangeDone(close);
  }

  clientGone(): void {
    this.#timeout.close();
    this.#lease.close();
    if (this.#message !== null) this.#end('client_gone', null);
  }

  /** A message is in flight from `begin` to `#end`. */
  #countInFlight({ route }: Message, by: 1 | -1): void {
    this.#client.recorder.meter.inFlight += by;
    this.#client.account.inFlight += by;
    route.meter.inFlight += by;
  }

  #endAnswered(): void {
    const close = this.#response.closesConnection;
    this.#end('answered', null);
    this.#client.exchangeDone(close);
  }

  /** `status`: of the gateway's own error response; null: none was sent. */
  #end(outcome: Outcome, failure: ExchangeFailure | null, status: number | null = null): void {
    const response = this.#response;
    const { head } = response;
    const message = this.#message as Message;
    this.#message = null;
    this.#timeout.stop();
    this.#countInFlight(message, -1);
    recordExchange(this.#client, message, {
      outcome,
      failure,
      status: response.begun && head !== null ? head.status : status,
      endpoint: this.#lease.endpoint,
      upstreamReused: this.#lease.reused,
      requestBytes: this.#requestBytes,
      responseBytes: response.begun ? response.received : 0,
      forwardedAt: this.#forwardedAt,
      upstreamMs: this.#upstreamMs,
      untyped: outcome === 'answered' && response.untyped,
    });
    response.end();
  }
}
