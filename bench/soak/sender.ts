/** A well-behaved sender: it heeds `Connection: close`, uses no connection that has ended, and never sends twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, post } from '../../test/support/client.ts';
import { statusOf } from '../../test/support/http.ts';

export interface Sent {
  /** Milliseconds from when a message was due to its whole answer. */
  readonly times: number[];
  /** Ids of the messages that were answered with 200. */
  readonly answered: string[];
  /**
   * Ids of those that were written on a connection which had been idle and then ended without a byte of an answer: they
   * may have crossed with its close. Whether they did, the host knows.
   */
  readonly crossed: string[];
  /** What else went wrong, each in its own words. */
  readonly failures: string[];
}

export interface SenderOptions {
  readonly name: string;
  readonly connect: () => Promise<Client>;
  /** Messages a second, over all connections. */
  readonly rate: number;
  /** Connections that are kept, the longest idle one used first; 0: one for each message. */
  readonly connections: number;
  readonly signal: AbortSignal;
}

export const idField = 'X-Message-Id';

export async function send({ name, connect, rate, connections, signal }: SenderOptions): Promise<Sent> {
  const sent: Sent = { times: [], answered: [], crossed: [], failures: [] };
  const idle: Client[] = await Promise.all(Array.from({ length: connections }, connect));
  const used = new WeakSet<Client>();
  const take = (): Client | undefined => {
    for (let client = idle.shift(); client !== undefined; client = idle.shift()) {
      if (!client.socket.readableEnded && !client.socket.closed) return client;
      void client[Symbol.asyncDispose]();
    }
    return undefined;
  };
  const one = async (id: string, due: number): Promise<void> => {
    const client = take() ?? (await connect());
    const last = connections === 0;
    try {
      const fields = [`${idField}: ${id}`, ...(last ? ['Connection: close'] : [])];
      const answer = await client.exchange(post({ fields }));
      if (statusOf(answer) !== 200) throw new Error(`status ${statusOf(answer)}`);
      sent.times.push(performance.now() - due);
      sent.answered.push(id);
      used.add(client);
      if (!last && answer.field('connection') !== 'close') idle.push(client);
      else await client[Symbol.asyncDispose]();
    } catch (error) {
      const { message } = error as Error;
      if (used.has(client) && message.startsWith('the connection ended after 0 bytes')) sent.crossed.push(id);
      else sent.failures.push(`${name}: ${message}`);
      await client[Symbol.asyncDispose]();
    }
  };
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  for (let count = 0; !signal.aborted; count++) {
    const due = began + (count * 1000) / rate;
    // A timer takes a millisecond at least: those that are due by then go together.
    if (due - performance.now() > 1) await sleep(due - performance.now());
    const message = one(`${name}-${count}`, due).catch(
      ({ message }: Error) => void sent.failures.push(`${name}, connecting: ${message}`),
    );
    underWay.add(message);
    void message.then(() => underWay.delete(message));
  }
  await Promise.all(underWay);
  for (const client of idle) await client[Symbol.asyncDispose]();
  return sent;
}
