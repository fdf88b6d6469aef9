/** The connection of an authorized client. Each request gets its response before the next one is read. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { noBytes } from '../message/head-buffer.ts';
import { lingeringClose } from '../message/lingering-close.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { ClientAccount } from './client-accounts.ts';
import { ClientRequests } from './client-requests.ts';
import { ConnectionDeadlines } from './connection-deadlines.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeClient } from './exchange-client.ts';
import type { RelayPolicy } from './relay-policy.ts';
import type { RequestConditions } from './request-admission.ts';

interface DownstreamOptions extends RequestConditions {
  readonly socket: TLSSocket;
  /** The TCP socket below, by which the connection is reset. */
  readonly transport: Socket;
  readonly caller: Caller;
  readonly policy: () => RelayPolicy;
  readonly recorder: Recorder;
}

export class Downstream implements ExchangeClient {
  readonly caller: Caller;
  readonly account: ClientAccount;
  readonly recorder: Recorder;

  readonly #socket: TLSSocket;
  readonly #transport: Socket;
  readonly #exchange = new Exchange(this);
  readonly #phase = new ConnectionDeadlines({
    onTimeout: () => this.#onPhaseTimeout(),
    onDeadline: () => this.#onDeadline(),
  });
  readonly #requests: ClientRequests;

  /** The current response, or else the next one, is the connection's last. */
  #last = false;
  /** The client has sent FIN. */
  #halfClosed = false;
  /** Bytes of the next request, received before the current response was complete. */
  #pipelined: Buffer | null = null;

  constructor(options: DownstreamOptions) {
    const { socket, transport, policy } = options;
    this.caller = options.caller;
    this.account = options.account;
    this.recorder = options.recorder;
    this.#socket = socket;
    this.#transport = transport;
    this.#requests = new ClientRequests({
      connection: this,
      transport,
      conditions: options,
      policy,
      phase: this.#phase,
      exchange: this.#exchange,
    });
    this.#requests.becomeIdle();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', () => this.#exchange.onClientDrain());
    socket.on('close', () => this.#onClose());
  }

  get proxyHeader(): Buffer {
    return this.#requests.proxyHeader;
  }

  get limits(): Limits {
    return this.#requests.policy.limits;
  }

  get lastExchange(): boolean {
    return this.#last;
  }

  get backedUp(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** From now on every response is the connection's last. `now`: closes the connection at once if it is idle. */
  drain({ now }: { now: boolean }): void {
    this.#last = true;
    if (now && this.#phase.current === 'idle') this.close();
  }

  /** The time for draining is over: fails the current exchange, and cuts a response that has begun. */
  abort(): void {
    if (!this.#requests.refuseUndecided('judgement_timeout'))
      this.#exchange.fail({ side: 'gateway', reason: 'shutdown' });
  }

  readonly #onData = (bytes: Buffer): void => {
    const { current } = this.#phase;
    if (current !== 'response' && current !== 'judging') this.#read(bytes);
    else this.#hold(this.#pipelined === null ? bytes : Buffer.concat([this.#pipelined, bytes]));
  };

  #read(bytes: Buffer): void {
    const rest = this.#requests.read(bytes);
    if (rest !== null) this.#hold(rest);
  }

  /** Keeps pipelined bytes until the response is complete. Reading pauses, so that they stay few. */
  #hold(bytes: Buffer): void {
    this.#pipelined = bytes;
    this.#socket.pause();
  }

  judged(): void {
    const held = this.#pipelined ?? noBytes;
    this.#pipelined = null;
    this.#socket.resume();
    const rest = this.#requests.proceed(held);
    if (rest !== null) this.#hold(rest);
    if (this.#halfClosed && this.#phase.current !== 'closing') this.#onEnd();
  }

  send(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  pauseRequest(): void {
    this.#socket.pause();
    // The host causes this delay: only the deadline limits it.
    this.#phase.suspendTimeout();
  }

  resumeRequest(): void {
    if (this.#phase.current === 'body') this.#requests.awaitMore(performance.now());
    else if (this.#phase.current !== 'response' || this.#pipelined !== null) return;
    this.#socket.resume();
  }

  exchangeDone(close: boolean): void {
    this.#phase.clearDeadline();
    if (close) return this.close();
    if (this.#pipelined === null && !this.#socket.isPaused()) return this.#next();
    // Surplus bytes of the host may have been read but not delivered: they must not pass for the next response.
    setImmediate(() => {
      if (this.#phase.current !== 'closing') this.#next();
    });
  }

  #next(): void {
    if (this.#last) return this.close();
    this.#requests.becomeIdle();
    this.#socket.resume();
    const pipelined = this.#pipelined;
    this.#pipelined = null;
    if (pipelined !== null) this.#read(pipelined);
    if (this.#halfClosed && this.#phase.current !== 'closing') this.#onEnd();
  }

  #onPhaseTimeout(): void {
    if (this.#phase.current === 'idle') this.close();
    else this.#requests.onTimeout();
  }

  #onDeadline(): void {
    const reason = this.#phase.current === 'holding' ? 'body_timeout' : 'judgement_timeout';
    if (!this.#requests.refuseUndecided(reason))
      this.#exchange.fail(this.#phase.deadlineFailure(this.#exchange));
  }

  /** Sends `response`, null for none, and closes the connection so that the client can still read it. */
  close(response: Buffer | null = null): void {
    this.#phase.close();
    this.#pipelined = null;
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    lingeringClose(this.#socket, response);
  }

  cut(): void {
    this.#phase.close();
    // RST without close_notify: no response that ends with the connection can look complete.
    this.#transport.resetAndDestroy();
    this.#socket.destroy();
  }

  /** The client has sent FIN: closes a connection without a request; a complete request still gets its response. */
  readonly #onEnd = (): void => {
    const { current } = this.#phase;
    this.#halfClosed = true;
    if (current === 'response') this.#last ||= this.#pipelined === null;
    else if (current === 'body' || current === 'holding' || current === 'discarding') this.#socket.destroy();
    // The verdict decides: `judged` calls again.
    else if (current === 'judging') return;
    else this.close();
  };

  #onClose(): void {
    this.#phase.close();
    this.#requests.clientGone();
    this.#exchange.clientGone();
  }
}
