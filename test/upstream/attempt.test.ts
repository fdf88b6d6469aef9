/** Reaching for an endpoint by its name: all of its addresses, within one budget, and what a change of them does. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import type { ConnectFailure, UpstreamUser } from '../../src/upstream/connection-roles.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';

let listening: Listening;
let pool: Pool;
let answer: () => Promise<readonly string[]>;
let asked: number;
let told: TestRecorder;

const nobody: UpstreamUser = {
  onUpstreamBytes: () => {},
  onUpstreamDrain: () => {},
  onUpstreamEnd: () => {},
  onUpstreamLost: () => {},
};

beforeEach(async () => {
  listening = await listenOnLoopback(createServer());
  asked = 0;
  told = recorder();
  pool = new Pool({
    endpoint: endpointAt(listening.port, {
      target: { host: 'host.example', port: listening.port },
      pool: { idle: 256, idleTimeout: 60_000 },
    }),
    recorder: told,
    resolve: () => {
      asked++;
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

// Nobody listens on the other addresses of loopback.
it('tries the next address where one refuses, and begins there the next time', async () => {
  answer = async () => ['127.0.0.2', '127.0.0.3', '127.0.0.1'];
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  answer = async () => {
    throw new Error('not asked again');
  };
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  expect(asked).toBe(1);
});

it('says why the last address failed', async () => {
  answer = async () => ['127.0.0.2', '127.0.0.3'];
  expect(await connect()).toEqual({ why: 'connect_failed', cause: 'ECONNREFUSED' });
});

it.each([
  [
    'refuses to answer',
    async () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
    'ENOTFOUND',
  ],
  ['knows no address', async () => [], 'no address'],
])('fails where the resolver %s', async (_what, resolve, cause) => {
  answer = resolve;
  expect(await connect()).toEqual({ why: 'connect_failed', cause });
});

it('counts the resolver’s time among its own', async () => {
  answer = () => new Promise(() => {});
  expect(await connect(20)).toEqual({ why: 'connect_timeout', cause: 'resolver' });
});

it('asks again once all addresses have failed, while the next attempt still tries the old ones', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.2'];
  await connect();
  answer = async () => ['127.0.0.1'];
  vi.advanceTimersByTime(101);
  expect(await connect()).toMatchObject({ why: 'connect_failed' });
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
});

it('has asked ahead when the first message comes, and tells of a resolver that then fails', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.1'];
  pool.configure({ ejectable: true, connectFirst: 50 });
  expect(asked).toBe(1);
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  expect(asked).toBe(1);
  answer = async () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' }));
  vi.advanceTimersByTime(5001);
  expect(await connect()).toMatchObject({ address: '127.0.0.1' });
  await vi.waitUntil(() => told.logged.length > 0);
  expect(told.logged).toMatchObject([{ level: 'warn', reason: 'resolve_failed', cause: 'EAI_AGAIN' }]);
});

it('lets go of warm connections to an address that the name has no more', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  answer = async () => ['127.0.0.1'];
  const [idle, used] = [await connect(), await connect()] as [UpstreamConnection, UpstreamConnection];
  for (const connection of [idle, used]) pool.release(connection, -1);
  answer = async () => ['127.0.0.2'];
  vi.advanceTimersByTime(5001);
  // A message that finds a warm connection waits for nothing, and has the name asked for again all the same.
  expect(pool.take(nobody, performance.now())).toBe(used);
  expect(asked).toBe(2);
  await vi.waitUntil(() => idle.ended);
  expect(used.ended).toBe(false);
  pool.release(used, -1);
  expect(used.ended).toBe(true);
});

it('tells nobody anything when it is cancelled while the resolver is asked', async () => {
  let told = 0;
  const count = () => {
    told++;
  };
  let resolve: (addresses: string[]) => void = () => {};
  answer = () => new Promise((done) => (resolve = done));
  pool.connect({ timeout: 10_000 }, { onOpen: count, onOpenFailed: count }).cancel();
  resolve(['127.0.0.1']);
  await connect();
  expect(told).toBe(0);
});
