/** Starts each message when it is due, whether those before it were answered or not (an open loop), and sends again what is not acknowledged. */
import { Attempt, type AttemptContext, type AttemptEnd, type AttemptEvents } from './attempt.ts';
import { Queue } from './queue.ts';
import type { Tally } from './tally.ts';

export interface SenderOptions {
  /** Messages a second. */
  readonly rate: number;
  /** Milliseconds in which messages are sent for the first time. */
  readonly duration: number;
  /** How many times a message is sent again at most. */
  readonly resends: number;
  /** Milliseconds from an attempt that is not acknowledged to the next. */
  readonly resendInterval: number;
}

interface Resend {
  readonly index: number;
  readonly number: number;
  readonly offset: number;
  readonly due: number;
}

/** A timer of Node may be this late, ms: the event loop spins for the rest of the time. */
const timerError = 1;
/** Attempts that start before the event loop reads answers again. */
const burst = 32;

export class Sender implements AttemptEvents {
  readonly #options: SenderOptions;
  readonly #context: AttemptContext;
  readonly #tally: Tally;
  /** In the order of their times, because the interval is the same for all. */
  readonly #resends = new Queue<Resend>();
  #total: number;
  #next = 0;
  #began = 0;
  #active = 0;
  #stopped = false;
  /** The next turn. */
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #done: (() => void) | null = null;

  constructor(options: SenderOptions, context: Omit<AttemptContext, 'events'>, tally: Tally) {
    this.#options = options;
    this.#context = { ...context, events: this };
    this.#tally = tally;
    this.#total = Math.max(1, Math.round((options.rate * options.duration) / 1000));
  }

  /** Attempts that have not ended. */
  get active(): number {
    return this.#active;
  }

  /** Messages that wait for their next attempt. */
  get waiting(): number {
    return this.#resends.length;
  }

  /** Resolves when every message is acknowledged or lost, or, after `stop`, when every attempt has ended. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#began = performance.now();
      this.#tally.begin(this.#began);
      this.#turn();
    });
  }

  /** Starts no attempt any more; messages that wait for one stay unacknowledged. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#total = this.#next;
    while (this.#resends.shift() !== undefined) this.#tally.pending += 1;
    this.#endIfDone();
  }

  onUnacknowledged({ options: { index, number, offset } }: Attempt): void {
    if (number >= this.#options.resends) this.#tally.lost += 1;
    else if (this.#stopped) this.#tally.pending += 1;
    else {
      const due = performance.now() + this.#options.resendInterval;
      this.#resends.push({ index, number: number + 1, offset, due });
      // The planned turn may be later, or there may be none.
      if (this.#resends.length === 1) this.#plan();
    }
  }

  onEnd(_attempt: Attempt, end: AttemptEnd): void {
    this.#active -= 1;
    this.#tally.end(end);
    this.#endIfDone();
  }

  #turn(): void {
    for (let count = 0; count < burst; count += 1) {
      const due = this.#nextDue();
      if (due === null || due > performance.now()) break;
      this.#startNext(due);
    }
    this.#plan();
  }

  /** performance.now() of the next attempt; null: none is planned. */
  #nextDue(): number | null {
    const resend = this.#resends.head?.due;
    const first = this.#next < this.#total ? this.#dueOf(this.#next) : undefined;
    if (resend === undefined) return first ?? null;
    return first === undefined ? resend : Math.min(first, resend);
  }

  #dueOf(index: number): number {
    return this.#began + (index * 1000) / this.#options.rate;
  }

  #startNext(due: number): void {
    const resend = this.#resends.head;
    if (resend !== undefined && resend.due === due) {
      this.#resends.shift();
      this.#start(resend);
      return;
    }
    const index = this.#next;
    this.#next += 1;
    this.#start({ index, number: 0, offset: due - this.#began, due });
  }

  #start(resend: Resend): void {
    this.#active += 1;
    this.#tally.start(resend, performance.now() - resend.due);
    new Attempt(resend, this.#context).start();
  }

  /** Replaces the planned turn by one for what is due first now. */
  #plan(): void {
    this.#cancelTurn();
    const due = this.#nextDue();
    if (due === null) return this.#endIfDone();
    const wait = due - performance.now() - timerError;
    if (wait >= 1) this.#timer = setTimeout(() => this.#turn(), Math.floor(wait));
    else this.#immediate = setImmediate(() => this.#turn());
  }

  #cancelTurn(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  #endIfDone(): void {
    if (this.#active > 0 || this.#next < this.#total || this.#resends.length > 0) return;
    this.#cancelTurn();
    this.#done?.();
    this.#done = null;
  }
}
