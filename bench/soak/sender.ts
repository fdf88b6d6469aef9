/** A well-behaved sender: it obeys `Connection: close`, uses no connection that has ended, and never sends twice. */
import { setTimeout as sleep, setImmediate as yieldToAnswers } from 'node:timers/promises';
import { statusOf } from '../../test/support/http/http.ts';
import { type Client, post } from '../../test/support/process/client.ts';

export interface Sent {
  /** Milliseconds from when a message was due to its whole response. */
  readonly times: number[];
  /** The same, less the delay of the sender itself; waiting for a free connection is included. */
  readonly waits: number[];
  /** Ids of the messages that were answered with 200. */
  readonly answered: string[];
  /**
   * Ids of the messages that were written on a connection which had been idle and then ended without a response: they
   * may have crossed with its close. If they did, the host did not get them.
   */
  readonly crossed: string[];
  /** Other failures, one description each. */
  readonly failures: string[];
}

export interface SenderOptions {
  readonly name: string;
  readonly connect: () => Promise<Client>;
  /** Messages a second, over all connections. */
  readonly rate: number;
  /** Open at the same time, the longest idle one used first: a message waits while all of them are busy. */
  readonly connections: number;
  /** false: each message has a connection of its own. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
  /** Filled as responses arrive; default: a new one. */
  readonly sent?: Sent;
}

export const idField = 'X-Message-Id';
/** Milliseconds. */
const mostBehind = 5_000;

/** Rejects if the machine is too slow for the rate. */
export async function send(options: SenderOptions): Promise<Sent> {
  const { name, rate, signal } = options;
  const sender = new Sender(options);
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  for (let count = 0; !signal.aborted; count++) {
    const due = began + (count * 1000) / rate;
    // A timer takes at least a millisecond: messages that are due by then are sent together, a few at a time, because a
    // sender that has fallen behind would otherwise never read a response.
    const ahead = due - performance.now();
    if (ahead > 1) await sleep(ahead);
    else if (count % 4 === 0) await yieldToAnswers();
    if (performance.now() - due > mostBehind)
      throw new Error(`${name}: cannot keep its rate on this machine`);
    const message = sender.send(`${name}-${count}`, due);
    underWay.add(message);
    void message.then(() => underWay.delete(message));
  }
  await Promise.all(underWay);
  await sender[Symbol.asyncDispose]();
  return sender.sent;
}

export function nothingSent(): Sent {
  return { times: [], waits: [], answered: [], crossed: [], failures: [] };
}

class Sender implements AsyncDisposable {
  readonly sent: Sent;
  readonly #options: SenderOptions;
  readonly #idle: Client[] = [];
  readonly #used = new WeakSet<Client>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.sent = options.sent ?? nothingSent();
  }

  async send(id: string, due: number): Promise<void> {
    const { name, keep, connections } = this.#options;
    const { sent } = this;
    const began = performance.now();
    if (this.#busy >= connections) await new Promise<void>((resume) => this.#waiting.push(resume));
    this.#busy++;
    let client: Client | undefined;
    try {
      client = await this.#take();
      const fields = [`${idField}: ${id}`, ...(keep ? [] : ['Connection: close'])];
      const answer = await client.exchange(post({ fields }));
      if (statusOf(answer) !== 200) throw new Error(`status ${statusOf(answer)}`);
      const now = performance.now();
      sent.times.push(now - due);
      sent.waits.push(now - began);
      sent.answered.push(id);
      this.#used.add(client);
      if (keep && answer.field('connection') !== 'close') this.#idle.push(client);
      else await client[Symbol.asyncDispose]();
    } catch (error) {
      const { message } = error as Error;
      const silent = message.startsWith('the connection ended after 0 bytes');
      if (client !== undefined && this.#used.has(client) && silent) sent.crossed.push(id);
      else sent.failures.push(`${name}: ${message}`);
      await client?.[Symbol.asyncDispose]();
    }
    this.#busy--;
    this.#waiting.shift()?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#idle) await client[Symbol.asyncDispose]();
  }

  async #take(): Promise<Client> {
    const { connect, connections, keep } = this.#options;
    // All of them are opened before one is used again.
    while (this.#idle.length + this.#busy > connections || !keep) {
      const client = this.#idle.shift();
      if (client === undefined) break;
      if (!client.socket.readableEnded && !client.socket.closed) return client;
      await client[Symbol.asyncDispose]();
    }
    return connect();
  }
}
