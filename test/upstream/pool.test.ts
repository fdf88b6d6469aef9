/** The pool over real sockets: which connections are reused, which are closed, and what is counted. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EndpointPolicy } from '../../src/policy/snapshot.ts';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import type { UpstreamUser } from '../../src/upstream/connection-roles.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { connectTo, openTo, recordingUser, silentUser } from '../support/process/upstream-user.ts';

let server: Server;
let listening: Listening;
let pool: Pool;
let { meter } = recorder();

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  listening = await listenOnLoopback(server);
  pool = poolOf(endpointAt(listening.port));
});

afterEach(async () => {
  vi.useRealTimers();
  pool.close();
  await listening.close();
});

function poolOf(endpoint: EndpointPolicy): Pool {
  const records = recorder();
  ({ meter } = records);
  return new Pool({ endpoint, recorder: records });
}

const open = (user: UpstreamUser = silentUser()) => openTo(server, pool, user);
const take = (user = silentUser()) => pool.take(user, performance.now());
const endpointState = () => meter.take()?.endpoints[0];

it('reuses the most recently used connection first', async () => {
  const [first, second] = [await open(), await open()];
  pool.release(first.connection, -1);
  pool.release(second.connection, -1);
  expect(take()).toBe(second.connection);
  expect(take()).toBe(first.connection);
  expect(take()).toBe(null);
});

it('reuses a connection with a PROXY header only for the user it names, and not at all if it names none', async () => {
  pool.close();
  pool = poolOf(endpointAt(listening.port, { proxyProtocol: 'v2', pool: { idle: 2, idleTimeout: 4000 } }));
  const users = [silentUser(), silentUser(), silentUser()];
  const opened = await Promise.all(users.map(open));
  const connections = opened.map(({ connection }) => connection);
  for (const connection of connections) pool.release(connection, -1);
  expect(connections.map(({ ended }) => ended)).toEqual([false, false, true]);
  expect([take(), take(users[1]), take(users[1]), take(users[0])]).toEqual([
    null,
    connections[1],
    null,
    connections[0],
  ]);

  const [first, second] = connections as [UpstreamConnection, UpstreamConnection];
  pool.release(first, -1);
  pool.release(second, -1);
  pool.closeReserved(users[0] as UpstreamUser);
  expect([first.ended, second.ended]).toEqual([true, false]);
  expect(take(users[0])).toBe(null);

  const trial = await connectTo(pool);
  pool.keep(trial);
  expect(trial.ended).toBe(true);
});

it.each([
  ['FIN', (socket: Socket) => socket.end()],
  ['a reset', (socket: Socket) => socket.resetAndDestroy()],
  ['bytes without a request', (socket: Socket) => socket.write('!')],
])('never reuses a connection on which %s was received', async (_what, act) => {
  const { connection, socket } = await open();
  // The connection must not end because it expires.
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(connection, -1);
  const closed = once(socket, 'close');
  act(socket);
  socket.resume();
  // The host closes its side when the pool closes its own.
  socket.on('end', () => socket.end());
  await closed;
  await vi.waitUntil(() => connection.ended);
  expect(take()).toBe(null);
  expect(endpointState()).toMatchObject({ idle: 0, inUse: 0 });
});

it('does not keep a connection that has ended', async () => {
  const user = recordingUser();
  const { connection, socket } = await open(user);
  socket.end();
  await user.until('end');
  pool.release(connection, -1);
  expect(take()).toBe(null);
});

it('begins with the first trial delay again after any response, also on a connection that cannot be reused', async () => {
  for (let trial = 0; trial < 6; trial++) pool.nextTrialDelay();
  expect(pool.nextTrialDelay()).toBeGreaterThan(20_000);
  const { connection } = await open();
  pool.release(connection, null);
  expect(connection.ended).toBe(true);
  expect(pool.nextTrialDelay()).toBeLessThan(1300);
});

it('is no longer ejected once its routes have no other endpoint', async () => {
  pool.configure({ ejectable: true, connectFirst: 50 });
  for (let check = 0; check < 3; check++) pool.checked('status 500');
  expect(pool.ejected).toBe(true);
  // A route without another endpoint still uses it.
  const { connection } = await open();
  pool.release(connection, -1);
  expect(take()).toBe(connection);
  pool.configure({ ejectable: false, connectFirst: 50 });
  expect(pool.ejected).toBe(false);
  expect(endpointState()).toMatchObject({ ejected: 0, ejections: 1 });
});

it('does not reuse a connection with bytes after its response', async () => {
  const { connection, socket } = await open();
  pool.release(connection, -1);
  socket.write('HTTP/1.1 200 OK\r\n');
  await vi.waitUntil(() => connection.ended);
  expect(take()).toBe(null);
});

it('closes an expired connection instead of reusing it', async () => {
  const stale = await open();
  const { connection } = await open();
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(stale.connection, -1);
  vi.advanceTimersByTime(3000);
  pool.release(connection, -1);
  vi.advanceTimersByTime(1500);
  expect(take()).toBe(connection);
  expect(take()).toBe(null);
  expect(stale.connection.ended).toBe(true);
});

it.each([
  [5, 3999, 4001],
  [3, 1999, 2001],
  [60, 3999, 4001],
])(
  'stops reusing a connection a second before a host that announces %i seconds closes it',
  async (announced, kept, gone) => {
    const [early, late] = [await open(), await open()];
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    pool.release(early.connection, announced);
    expect(pool.take(silentUser(), performance.now() + kept)).toBe(early.connection);
    pool.release(late.connection, announced);
    expect(pool.take(silentUser(), performance.now() + gone)).toBe(null);
    expect(late.connection.ended).toBe(true);
  },
);

it('does not keep a connection that the host closes within a second', async () => {
  const { connection } = await open();
  pool.release(connection, 1);
  expect(connection.ended).toBe(true);
});

it('keeps at most pool.idle connections, and none if that is 0', async () => {
  for (const [idle, kept] of [
    [1, 1],
    [0, 0],
  ] as const) {
    pool.close();
    pool = poolOf(endpointAt(listening.port, { pool: { idle, idleTimeout: 4000 } }));
    const opened = [await open(), await open()];
    for (const { connection } of opened) pool.release(connection, -1);
    expect(opened.filter(({ connection }) => !connection.ended)).toHaveLength(kept);
    expect(endpointState()).toMatchObject({ idle: kept, inUse: 0, connects: { ok: 2 } });
  }
});

it('closes a connection that is not reused', async () => {
  const { connection, socket } = await open();
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(connection, -1);
  const ended = once(socket.resume(), 'end');
  vi.advanceTimersByTime(8000);
  expect(connection.ended).toBe(true);
  await ended;
});

it('counts connections in use and idle ones', async () => {
  const [one, two] = [await open(), await open()];
  expect(endpointState()).toMatchObject({ pools: 1, inUse: 2, idle: 0, connects: { ok: 2 } });
  pool.release(one.connection, -1);
  two.connection.destroy();
  expect(endpointState()).toMatchObject({ inUse: 0, idle: 1, connects: { ok: 0 } });
  expect(endpointState()).toBeUndefined();
  pool.close();
  expect(endpointState()).toMatchObject({ pools: 0, idle: 0 });
});
