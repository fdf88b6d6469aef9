/** Sends messages at a fixed rate, however long the responses take, and keeps the times of the responses. */
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf } from '../../test/support/http/http.ts';
import type { Client } from '../../test/support/process/client.ts';
import { post } from '../../test/support/process/client.ts';

export interface Talk {
  /** Milliseconds from when a message was due to its whole response. */
  readonly times: number[];
  /** Failures, one description each. */
  readonly failures: string[];
}

export interface TalkOptions {
  readonly connect: () => Promise<Client>;
  /** Messages a second, over all connections. */
  readonly rate: number;
  /** Connections that are kept; 0: one for each message. */
  readonly connections: number;
  readonly signal: AbortSignal;
}

export async function talk({ connect, rate, connections, signal }: TalkOptions): Promise<Talk> {
  const result: Talk = { times: [], failures: [] };
  const idle = await Promise.all(Array.from({ length: connections }, connect));
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  for (let count = 0; !signal.aborted; count++) {
    const due = began + (count * 1000) / rate;
    // A timer takes at least a millisecond: messages that are due by then are sent together.
    const ahead = due - performance.now();
    if (ahead > 1) await sleep(ahead);
    const one = (async () => {
      const client = (connections > 0 ? idle.shift() : undefined) ?? (await connect());
      const status = statusOf(await client.exchange(post()));
      if (status !== 200) throw new Error(`status ${status}`);
      result.times.push(performance.now() - due);
      if (connections > 0) idle.push(client);
      else await client[Symbol.asyncDispose]();
    })().catch((error: Error) => void result.failures.push(error.message));
    underWay.add(one);
    void one.then(() => underWay.delete(one));
  }
  await Promise.all(underWay);
  for (const client of idle) await client[Symbol.asyncDispose]();
  return result;
}

/** `part` from 0 to 1. */
export function quantileOf(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
