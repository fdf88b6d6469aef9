/** The pool learns over real sockets for how long a host keeps idle connections; the clock is the test's. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { connectTo, silentUser } from '../support/process/upstream-user.ts';

let server: Server;
let listening: Listening;
let pool: Pool;
let records: TestRecorder;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  listening = await listenOnLoopback(server);
  records = recorder();
  pool = new Pool({
    endpoint: endpointAt(listening.port, { pool: { idle: 10, idleTimeout: 10_000 } }),
    recorder: records,
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

interface Open {
  readonly connection: UpstreamConnection;
  readonly socket: Socket;
}

async function open(): Promise<Open> {
  const accepted = once(server, 'connection');
  const connection = await connectTo(pool);
  connection.assign(silentUser());
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => {}).on('end', () => socket.end());
  socket.resume();
  return { connection, socket };
}

/** A connection whose message was answered. */
async function openIdle(announced = -1): Promise<Open> {
  const opened = await open();
  pool.release(opened.connection, announced);
  return opened;
}

/** The host closes them; resolves once the pool has learned from it. */
async function closeByHost(...opened: Open[]): Promise<void> {
  for (const { socket } of opened) {
    const closed = socket.closed ? undefined : once(socket, 'close');
    socket.end();
    await closed;
  }
  vi.advanceTimersByTime(50);
}

const take = () => pool.take(silentUser(), performance.now());
const limit = () => records.meter.take()?.endpoints[0]?.idleLimit;

it('lowers the limit to a second less than the host’s, also for connections that are idle already, and logs it', async () => {
  const first = await openIdle();
  vi.advanceTimersByTime(1000);
  const second = await openIdle();
  vi.advanceTimersByTime(4000);
  expect(limit()).toBe(10_000);
  await closeByHost(first);
  expect(limit()).toBe(4000);
  expect(records.logged).toEqual([
    {
      level: 'warn',
      message: expect.stringContaining('closes idle connections; its idle limit was lowered'),
      endpoint: `http://127.0.0.1:${listening.port}`,
      closed_after_ms: 5000,
      idle_limit_ms: 4000,
    },
  ]);
  // It was idle for 4050 ms.
  expect(take()).toBe(null);

  const third = await openIdle();
  vi.advanceTimersByTime(3999);
  expect(take()).toBe(third.connection);
  expect(third.connection.reused).toBe(true);
  expect(second.connection.reused).toBe(true);
});

it('does not log again when the host closes after the same time', async () => {
  for (let round = 0; round < 3; round++) {
    const one = await openIdle();
    vi.advanceTimersByTime(5000);
    await closeByHost(one);
  }
  expect(limit()).toBe(4000);
  expect(records.logged).toHaveLength(1);
});

it('learns from the oldest connection when the host closes connections of all ages together', async () => {
  const old = await openIdle();
  vi.advanceTimersByTime(8000);
  const young = await openIdle();
  vi.advanceTimersByTime(1000);
  await closeByHost(young, old);
  expect(limit()).toBe(8000);
});

it('learns from a message whose connection was closed as it was sent', async () => {
  const { connection, socket } = await openIdle();
  vi.advanceTimersByTime(5000);
  const lost = new Promise<void>((resolve) => {
    expect(pool.take(silentUser(resolve), performance.now())).toBe(connection);
  });
  socket.resetAndDestroy();
  await lost;
  vi.advanceTimersByTime(50);
  expect(limit()).toBe(4000);
});

it('learns nothing from a host that fails during a message: later, after a part of its response, or on a busy connection', async () => {
  for (const [wait, between, answer] of [
    [5000, 100, ''],
    [5000, 0, 'HTTP'],
    [50, 0, ''],
  ] as const) {
    const { connection, socket } = await openIdle();
    vi.advanceTimersByTime(wait);
    let onBytes = () => {};
    const lost = new Promise<void>((resolve) => {
      pool.take({ ...silentUser(resolve), onUpstreamBytes: () => onBytes() }, performance.now());
    });
    expect(connection.user).not.toBe(null);
    if (answer !== '') {
      const part = new Promise<void>((resolve) => {
        onBytes = resolve;
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
  expect(records.logged).toEqual([]);
});

it.each([
  ['learns from a 408 that the host writes before it closes', 'HTTP/1.1 408 Request Timeout\r\n\r\n', 4000],
  ['learns nothing from other bytes without a request', 'HTTP/1.1 200 OK\r\n\r\n', 10_000],
])('%s', async (_, bytes, expected) => {
  const { socket } = await openIdle();
  vi.advanceTimersByTime(5000);
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  vi.advanceTimersByTime(50);
  expect(limit()).toBe(expected);
});

it('learns nothing from connections that the pool closes', async () => {
  await openIdle();
  vi.advanceTimersByTime(20_000);
  expect(take()).toBe(null);
  expect(limit()).toBe(10_000);
});

it('applies what a host announced once on a connection after its later responses too', async () => {
  const { connection } = await openIdle(5);
  expect(take()).toBe(connection);
  expect(limit()).toBe(4000);
  pool.release(connection, -1);
  vi.advanceTimersByTime(4000);
  expect(take()).toBe(null);
});

it('leaves one expired connection open, and raises the limit by a quarter if the host keeps it open', async () => {
  const first = await openIdle();
  vi.advanceTimersByTime(3000);
  await closeByHost(first);
  expect(limit()).toBe(2000);

  const [kept, other] = [await openIdle(), await openIdle()];
  // The pool looks for expired connections every five seconds.
  vi.advanceTimersByTime(4000);
  expect([take(), kept.connection.ended, other.connection.ended]).toEqual([null, true, false]);
  vi.advanceTimersByTime(6000);
  expect(other.connection.ended).toBe(true);
  expect(limit()).toBe(2500);
  expect(records.logged).toHaveLength(1);
});

it('logs when the limit is the configured one again', async () => {
  const first = await openIdle();
  vi.advanceTimersByTime(9000);
  await closeByHost(first);
  expect(limit()).toBe(8000);
  await openIdle();
  vi.advanceTimersByTime(20_000);
  expect(limit()).toBe(10_000);
  expect(records.logged.map(({ level, idle_limit_ms }) => [level, idle_limit_ms])).toEqual([
    ['warn', 8000],
    ['info', 10_000],
  ]);
});

it('keeps the limit if the host closes the connection that was left open', async () => {
  const first = await openIdle();
  vi.advanceTimersByTime(5000);
  await closeByHost(first);
  const kept = await openIdle();
  vi.advanceTimersByTime(4500);
  expect(take()).toBe(null);
  expect(kept.connection.ended).toBe(false);
  vi.advanceTimersByTime(500);
  await closeByHost(kept);
  vi.advanceTimersByTime(20_000);
  expect(limit()).toBe(4000);
});

it('closes the connection that was left open when the pool is closed', async () => {
  const first = await openIdle();
  vi.advanceTimersByTime(5000);
  await closeByHost(first);
  const kept = await openIdle();
  vi.advanceTimersByTime(4500);
  expect(take()).toBe(null);
  pool.close();
  expect(kept.connection.ended).toBe(true);
});
