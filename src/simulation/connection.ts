/** One connection of the sender: one message at a time, each with one answer; every other byte is reported. */
import type { Socket } from 'node:net';
import { AnswerReader, type Judgement } from './answer.ts';
import type { Target } from './endpoint.ts';
import type { Failure } from './outcomes.ts';

/** The bytes of one request. */
export interface Request {
  readonly head: string;
  readonly body: string;
  /** Send the body only after 100 Continue, or after a second as .NET does. */
  readonly expect: boolean;
}

/** Who sends a message on a connection; exactly one of these is called for it. */
export interface ExchangeUser {
  onAnswer(judgement: Judgement): void;
  /** `detail`: a code, such as ECONNRESET. */
  onFailure(failure: Failure, detail: string | null): void;
}

export interface ConnectionEvents {
  onOpen(connection: Connection): void;
  /** Its message is answered, and it may carry another one. */
  onIdle(connection: Connection): void;
  /** Bytes arrived that belong to no message, such as a second answer; the connection is closed. */
  onUnasked(): void;
  /** Once, at the end. `failure`: why it was never open; null: it was open. */
  onClosed(connection: Connection, failure: string | null): void;
}

/** Shared by all connections: libuv delivers the bytes of one read before it makes the next. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** How long the peer may take to close a connection that carries no further message, ms. */
const closeTime = 1_000;
/** As `SocketsHttpHandler.Expect100ContinueTimeout` of .NET, ms. */
const continueTime = 1_000;

export class Connection {
  /** performance.now() when it became idle, or began to open. */
  since = performance.now();

  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  /** Keeps the connection for further messages. */
  readonly #keep: boolean;
  readonly #reader = new AnswerReader();
  #user: ExchangeUser | null = null;
  /** The part of the message that waits for 100 Continue. */
  #body: string | null = null;
  #continueTimer: NodeJS.Timeout | null = null;
  #closeTimer: NodeJS.Timeout | null = null;
  #isOpen = false;
  #hasOpened = false;
  #ended = false;
  #error: string | null = null;

  constructor(options: {
    readonly target: Target;
    readonly keep: boolean;
    readonly events: ConnectionEvents;
    /** Milliseconds until it must be open. */
    readonly openTimeout: number;
  }) {
    this.#events = options.events;
    this.#keep = options.keep;
    const callback = (size: number) => {
      this.#receive(readBuffer.subarray(0, size));
      return true;
    };
    this.#socket = options.target.connect({ buffer: readBuffer, callback });
    this.#closeTimer = setTimeout(() => this.#destroy('timeout'), options.openTimeout);
    this.#socket.once(options.target.openEvent, () => this.#open());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#destroy(error.code ?? 'unknown'));
    this.#socket.on('end', () => this.#finish());
    this.#socket.on('close', () => this.#finish());
  }

  /** It can carry a message: open, idle, and not ended by the peer. */
  get usable(): boolean {
    return this.#isOpen && !this.#ended && this.#user === null;
  }

  send({ head, body, expect }: Request, user: ExchangeUser): void {
    this.#user = user;
    this.#reader.begin();
    if (!expect) {
      this.#socket.write(head + body, 'latin1');
      return;
    }
    this.#body = body;
    this.#socket.write(head, 'latin1');
    this.#continueTimer = setTimeout(() => this.#sendBody(), continueTime);
  }

  /** The body of the message has not been sent: no 100 Continue has arrived. */
  get awaitsContinue(): boolean {
    return this.#body !== null;
  }

  /** Gives up on the message, and closes. No event of the message follows. */
  abort(): void {
    this.#user = null;
    this.#destroy(null);
  }

  /** Ends the connection in order. */
  close(): void {
    if (!this.#isOpen || this.#ended) {
      this.#destroy(null);
      return;
    }
    this.#retire();
    this.#socket.end();
  }

  /** Carries no further message. The peer has time to close, because after our own end a second answer is not read. */
  #retire(): void {
    this.#clearTimers();
    this.#isOpen = false;
    this.#closeTimer = setTimeout(() => this.#destroy(null), closeTime);
  }

  #open(): void {
    this.#clearTimers();
    this.#isOpen = true;
    this.#hasOpened = true;
    this.#events.onOpen(this);
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return;
    if (this.#user === null) {
      this.#events.onUnasked();
      this.#destroy(null);
      return;
    }
    const state = this.#reader.read(bytes);
    switch (state) {
      case 'incomplete':
        return;
      case 'continue':
        this.#sendBody();
        return;
      case 'misframed':
        this.#fail('misframed', this.#reader.cause);
        return;
      case 'complete':
        this.#complete();
        return;
      default:
        state satisfies never;
    }
  }

  #sendBody(): void {
    if (this.#body === null) return;
    this.#socket.write(this.#body, 'latin1');
    this.#body = null;
    this.#clearTimers();
  }

  #complete(): void {
    const user = this.#user;
    const early = this.#body !== null;
    const hasSurplus = this.#reader.surplus > 0;
    this.#user = null;
    this.#body = null;
    this.#clearTimers();
    if (hasSurplus) this.#events.onUnasked();
    // Before the user's event, which may end the simulation.
    const reuse = this.#keep && !early && !hasSurplus && this.#reader.reusable && !this.#ended;
    if (early && this.#reader.isSuccess) user?.onFailure('early', null);
    else user?.onAnswer(this.#reader.judge());
    if (!reuse) {
      if (hasSurplus || this.#ended) this.#destroy(null);
      else this.#retire();
      return;
    }
    this.since = performance.now();
    this.#events.onIdle(this);
  }

  #fail(failure: Failure, detail: string | null): void {
    const user = this.#user;
    this.#user = null;
    user?.onFailure(failure, detail);
    this.#destroy(null);
  }

  #destroy(error: string | null): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#finish();
  }

  /** The peer ended the connection, or it was destroyed. */
  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearTimers();
    if (this.#user !== null) {
      if (this.#reader.end()) this.#complete();
      else this.#fail(this.#reader.begun ? 'cut' : 'closed', this.#error);
    }
    this.#socket.destroy();
    this.#events.onClosed(this, this.#hasOpened ? null : (this.#error ?? 'closed'));
  }

  #clearTimers(): void {
    if (this.#continueTimer !== null) clearTimeout(this.#continueTimer);
    if (this.#closeTimer !== null) clearTimeout(this.#closeTimer);
    this.#continueTimer = null;
    this.#closeTimer = null;
  }
}
