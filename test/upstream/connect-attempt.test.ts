/** Connecting to an endpoint by its name: all addresses are tried within one timeout, and a change of them takes effect. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ConnectFailure } from '../../src/upstream/connect-failure.ts';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { silentUser } from '../support/process/upstream-user.ts';

let listening: Listening;
let pool: Pool;
let answer: () => Promise<readonly string[]>;
let queries: number;
let records: TestRecorder;

beforeEach(async () => {
  listening = await listenOnLoopback(createServer());
  queries = 0;
  records = recorder();
  pool = new Pool({
    endpoint: endpointAt(listening.port, {
      target: { host: 'host.example', port: listening.port },
      pool: { idle: 256, idleTimeout: 60_000 },
    }),
    recorder: records,
    resolve: () => {
      queries++;
      return answer();
    },
  });
});

afterEach(async () => {
  vi.useRealTimers();
  pool.close();
  await listening.close();
});

function connect(timeout = 10_000): Promise<UpstreamConnection | ConnectFailure> {
  return new Promise((resolve) => pool.connect({ timeout }, { onOpen: resolve, onOpenFailed: resolve }));
}

// No server listens on the other loopback addresses.
it('tries the next address if one refuses, and begins with the one that accepted the next time', async () => {
  answer = async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1'];
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  answer = async () => {
    throw new Error('resolved again');
  };
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  expect(queries).toBe(1);
});

it('reports the failure of the last address', async () => {
  answer = async () => ['127.0.0.2', '127.0.0.3'];
  expect(await connect()).toEqual({ why: 'connect_failed', cause: 'ECONNREFUSED' });
});

it.each([
  ['fails', async () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })), 'ENOTFOUND'],
  ['finds no address', async () => [], 'no address'],
])('fails if the resolver %s', async (_what, resolve, cause) => {
  answer = resolve;
  expect(await connect()).toEqual({ why: 'connect_failed', cause });
});

it('includes the time of the resolver in its timeout', async () => {
  answer = () => new Promise(() => {});
  expect(await connect(20)).toEqual({ why: 'connect_timeout', cause: 'resolver' });
});

it('resolves the name again after all addresses have failed; the next attempt still tries the old ones', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.2'];
  await connect();
  answer = async () => ['127.0.0.1'];
  vi.advanceTimersByTime(101);
  expect(await connect()).toMatchObject({ why: 'connect_failed' });
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
});

it('resolves the name before the first message, and logs a resolver that fails later', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.1'];
  pool.configure({ ejectable: true, connectFirst: 50 });
  expect(queries).toBe(1);
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  expect(queries).toBe(1);
  answer = async () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' }));
  vi.advanceTimersByTime(5001);
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  await vi.waitUntil(() => records.logged.length > 0);
  expect(records.logged).toMatchObject([{ level: 'warn', reason: 'resolve_failed', cause: 'EAI_AGAIN' }]);
});

it('closes idle connections to an address that the name no longer has', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.1'];
  const [idle, used] = [await connect(), await connect()] as [UpstreamConnection, UpstreamConnection];
  for (const connection of [idle, used]) pool.release(connection, -1);
  answer = async () => ['127.0.0.2'];
  vi.advanceTimersByTime(5001);
  // A message that reuses a connection does not wait for the resolver, but the name is resolved again.
  expect(pool.take(silentUser(), performance.now())).toBe(used);
  expect(queries).toBe(2);
  await vi.waitUntil(() => idle.ended);
  expect(used.ended).toBe(false);
  pool.release(used, -1);
  expect(used.ended).toBe(true);
});

it('does not call its opener if it is cancelled during a query', async () => {
  let calls = 0;
  const count = () => {
    calls++;
  };
  let resolve: (addresses: string[]) => void = () => {};
  answer = () => new Promise((done) => (resolve = done));
  pool.connect({ timeout: 10_000 }, { onOpen: count, onOpenFailed: count }).cancel();
  resolve(['127.0.0.1']);
  await connect();
  expect(calls).toBe(0);
});
