/** How long a host lets connections wait, as the pool learns it over real sockets; the time between is the test's. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import type { UpstreamUser } from '../../src/upstream/connection-roles.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';

let server: Server;
let listening: Listening;
let pool: Pool;
let told: TestRecorder;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  listening = await listenOnLoopback(server);
  told = recorder();
  pool = new Pool({
    endpoint: endpointAt(listening.port, { pool: { idle: 10, idleTimeout: 10_000 } }),
    recorder: told,
  });
  vi.useFakeTimers({
    toFake: ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  });
});

afterEach(async () => {
  vi.useRealTimers();
  pool.close();
  await listening.close();
});

/** A user that hears of its connection's end alone. */
function user(onLost = () => {}): UpstreamUser {
  return {
    onUpstreamBytes: () => {},
    onUpstreamDrain: () => {},
    onUpstreamEnd: onLost,
    onUpstreamLost: onLost,
  };
}

interface Open {
  readonly connection: UpstreamConnection;
  readonly socket: Socket;
}

async function open(): Promise<Open> {
  const accepted = once(server, 'connection');
  const connection = await new Promise<UpstreamConnection>((onOpen, reject) => {
    pool.connect({ timeout: 10_000 }, { onOpen, onOpenFailed: ({ why }) => reject(new Error(why)) });
  });
  connection.assign(user());
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => {}).on('end', () => socket.end());
  socket.resume();
  return { connection, socket };
}

/** Answered, and waiting. */
async function waiting(announced = -1): Promise<Open> {
  const opened = await open();
  pool.release(opened.connection, announced);
  return opened;
}

/** The host ends them, and the pool has seen it. */
async function closeByHost(...opened: Open[]): Promise<void> {
  for (const { socket } of opened) {
    const closed = socket.closed ? undefined : once(socket, 'close');
    socket.end();
    await closed;
  }
  vi.advanceTimersByTime(50);
}

const take = () => pool.take(user(), performance.now());
const limit = () => told.meter.take()?.endpoints[0]?.idleLimit;

it('lets connections wait a second less than the host did, those that wait already too, and says so', async () => {
  const first = await waiting();
  vi.advanceTimersByTime(1000);
  const second = await waiting();
  vi.advanceTimersByTime(4000);
  expect(limit()).toBe(10_000);
  await closeByHost(first);
  expect(limit()).toBe(4000);
  expect(told.logged).toEqual([
    {
      level: 'warn',
      message: 'an upstream endpoint closes idle connections; its idle limit was lowered',
      endpoint: `http://127.0.0.1:${listening.port}`,
      closed_after_ms: 5000,
      idle_limit_ms: 4000,
    },
  ]);
  // It has waited for 4050 ms.
  expect(take()).toBe(null);

  const third = await waiting();
  vi.advanceTimersByTime(3999);
  expect(take()).toBe(third.connection);
  expect(third.connection.reused).toBe(true);
  expect(second.connection.reused).toBe(true);
});

it('says nothing new when the host closes again after the same time', async () => {
  for (let round = 0; round < 3; round++) {
    const one = await waiting();
    vi.advanceTimersByTime(5000);
    await closeByHost(one);
  }
  expect(limit()).toBe(4000);
  expect(told.logged).toHaveLength(1);
});

it('takes a host that closes connections of all ages together for one that was stopped', async () => {
  const old = await waiting();
  vi.advanceTimersByTime(8000);
  const young = await waiting();
  vi.advanceTimersByTime(1000);
  await closeByHost(young, old);
  expect(limit()).toBe(8000);
});

it('learns from a message that met the close of its connection', async () => {
  const { connection, socket } = await waiting();
  vi.advanceTimersByTime(5000);
  const lost = new Promise<void>((resolve) => {
    expect(pool.take(user(resolve), performance.now())).toBe(connection);
  });
  socket.resetAndDestroy();
  await lost;
  vi.advanceTimersByTime(50);
  expect(limit()).toBe(4000);
});

it('learns nothing from a host that fails at a message: later, after a part of its answer, or on a busy connection', async () => {
  for (const [wait, between, answer] of [
    [5000, 100, ''],
    [5000, 0, 'HTTP'],
    [50, 0, ''],
  ] as const) {
    const { connection, socket } = await waiting();
    vi.advanceTimersByTime(wait);
    let heard = () => {};
    const lost = new Promise<void>((resolve) => {
      pool.take({ ...user(resolve), onUpstreamBytes: () => heard() }, performance.now());
    });
    expect(connection.user).not.toBe(null);
    if (answer !== '') {
      const part = new Promise<void>((resolve) => {
        heard = resolve;
      });
      socket.write(answer);
      await part;
    }
    vi.advanceTimersByTime(between);
    socket.resetAndDestroy();
    await lost;
    vi.advanceTimersByTime(50);
  }
  expect(limit()).toBe(10_000);
  expect(told.logged).toEqual([]);
});

it.each([
  ['learns from a 408 that the host writes before it closes', 'HTTP/1.1 408 Request Timeout\r\n\r\n', 4000],
  ['learns nothing from other bytes that nobody asked for', 'HTTP/1.1 200 OK\r\n\r\n', 10_000],
])('%s', async (_, bytes, expected) => {
  const { socket } = await waiting();
  vi.advanceTimersByTime(5000);
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  vi.advanceTimersByTime(50);
  expect(limit()).toBe(expected);
});

it('learns nothing from connections that it closes itself', async () => {
  await waiting();
  vi.advanceTimersByTime(20_000);
  expect(take()).toBe(null);
  expect(limit()).toBe(10_000);
});

it('keeps to what a host announced once on a connection, for its later answers too', async () => {
  const { connection } = await waiting(5);
  expect(take()).toBe(connection);
  expect(limit()).toBe(4000);
  pool.release(connection, -1);
  vi.advanceTimersByTime(4000);
  expect(take()).toBe(null);
});

it('leaves one connection open that is too old, and recovers by a quarter when the host keeps it', async () => {
  const first = await waiting();
  vi.advanceTimersByTime(3000);
  await closeByHost(first);
  expect(limit()).toBe(2000);

  const [kept, other] = [await waiting(), await waiting()];
  // Looked at every five seconds.
  vi.advanceTimersByTime(4000);
  expect([take(), kept.connection.ended, other.connection.ended]).toEqual([null, true, false]);
  vi.advanceTimersByTime(6000);
  expect(other.connection.ended).toBe(true);
  expect(limit()).toBe(2500);
  expect(told.logged).toHaveLength(1);
});

it('says when connections wait for their full time again', async () => {
  const first = await waiting();
  vi.advanceTimersByTime(9000);
  await closeByHost(first);
  expect(limit()).toBe(8000);
  await waiting();
  vi.advanceTimersByTime(20_000);
  expect(limit()).toBe(10_000);
  expect(told.logged.map(({ level, idle_limit_ms }) => [level, idle_limit_ms])).toEqual([
    ['warn', 8000],
    ['info', 10_000],
  ]);
});

it('stays with its limit when the host closes what was left open', async () => {
  const first = await waiting();
  vi.advanceTimersByTime(5000);
  await closeByHost(first);
  const kept = await waiting();
  vi.advanceTimersByTime(4500);
  expect(take()).toBe(null);
  expect(kept.connection.ended).toBe(false);
  vi.advanceTimersByTime(500);
  await closeByHost(kept);
  vi.advanceTimersByTime(20_000);
  expect(limit()).toBe(4000);
});

it('closes with its pool what was left open', async () => {
  const first = await waiting();
  vi.advanceTimersByTime(5000);
  await closeByHost(first);
  const kept = await waiting();
  vi.advanceTimersByTime(4500);
  expect(take()).toBe(null);
  pool.close();
  expect(kept.connection.ended).toBe(true);
});
