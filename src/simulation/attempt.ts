/** One attempt to deliver a message: waits for a connection, sends, and decides its outcome. */
import type { Judgement } from './answer.ts';
import type { Connection, ExchangeUser, Request } from './connection.ts';
import type { Failure, Outcome } from './outcomes.ts';
import type { Pool, Waiter } from './pool.ts';

export interface AttemptEnd {
  readonly outcome: Outcome;
  readonly detail: string | null;
  /** Milliseconds from when the message was due to the end of its answer; null: no complete answer. */
  readonly fromSchedule: number | null;
  /** The same from when the request was written to an open connection. */
  readonly fromSend: number | null;
}

export interface AttemptEvents {
  /** It is not acknowledged in time, whatever still comes. Once, before `onEnd`. */
  onUnacknowledged(attempt: Attempt): void;
  onEnd(attempt: Attempt, end: AttemptEnd): void;
}

export interface AttemptOptions {
  /** Of the message, from 0. */
  readonly index: number;
  /** How many times the message was sent before. */
  readonly number: number;
  /** When the message was due first, ms after the begin: a re-send has the same content. */
  readonly offset: number;
  /** performance.now() when this attempt was due. */
  readonly due: number;
}

export interface AttemptContext {
  /** Milliseconds from the start of the attempt, so the opening of a connection is included, as in .NET. */
  readonly timeout: number;
  /** Milliseconds after the timeout in which a late answer is awaited. */
  readonly lateWait: number;
  readonly pool: Pool;
  readonly events: AttemptEvents;
  makeRequest(options: AttemptOptions): Request;
}

export class Attempt implements Waiter, ExchangeUser {
  readonly options: AttemptOptions;
  gaveUp = false;
  readonly #context: AttemptContext;
  readonly #started = performance.now();
  #timer: NodeJS.Timeout;
  #connection: Connection | null = null;
  #sent = 0;
  #overdue = false;

  constructor(options: AttemptOptions, context: AttemptContext) {
    this.options = options;
    this.#context = context;
    this.#timer = setTimeout(() => this.#expire(), context.timeout);
  }

  /** Apart from the constructor, because the attempt may end at once. */
  start(): void {
    this.#context.pool.acquire(this);
  }

  onConnection(connection: Connection): void {
    this.#connection = connection;
    const request = this.#context.makeRequest(this.options);
    this.#sent = performance.now();
    connection.send(request, this);
  }

  onNoConnection(detail: string): void {
    this.#end({ outcome: 'connect', detail, fromSchedule: null, fromSend: null });
  }

  onAnswer({ outcome, detail }: Judgement): void {
    const now = performance.now();
    const isLate = this.#overdue || now - this.#started > this.#context.timeout;
    this.#end({
      outcome: isLate ? 'late' : outcome,
      detail: isLate ? null : detail,
      fromSchedule: now - this.options.due,
      fromSend: now - this.#sent,
    });
  }

  onFailure(failure: Failure, detail: string | null): void {
    this.#end({ outcome: failure, detail, fromSchedule: null, fromSend: null });
  }

  #expire(): void {
    const connection = this.#connection;
    if (connection === null) {
      this.onNoConnection('timeout');
    } else if (connection.awaitsContinue) {
      connection.abort();
      this.onFailure('no_continue', null);
    } else {
      this.#overdue = true;
      this.#context.events.onUnacknowledged(this);
      const giveUp = () => {
        connection.abort();
        this.onFailure('no_answer', null);
      };
      if (this.#context.lateWait === 0) giveUp();
      else this.#timer = setTimeout(giveUp, this.#context.lateWait);
    }
  }

  #end(end: AttemptEnd): void {
    clearTimeout(this.#timer);
    this.gaveUp = true;
    const { events } = this.#context;
    if (end.outcome !== 'acknowledged' && !this.#overdue) events.onUnacknowledged(this);
    events.onEnd(this, end);
  }
}
