/** The pool over real sockets: what is warm, what is dead, and what is told to whom. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Endpoint, UpstreamConnection, UpstreamUser } from '../../src/upstream/connection.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { Pools } from '../../src/upstream/pools.ts';
import { type Listening, listenOnLoopback } from '../support/listening.ts';

let server: Server;
let listening: Listening;
let endpoint: Endpoint;
let pool: Pool;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  listening = await listenOnLoopback(server);
  endpoint = { host: '127.0.0.1', port: listening.port, connectTimeout: 10_000 };
  pool = new Pool(endpoint);
});

afterEach(async () => {
  vi.useRealTimers();
  pool.close();
  await listening.close();
});

/** A user that writes down what it is told, and can be waited for. */
function listener(): UpstreamUser & { readonly told: string[]; until(word: string): Promise<void> } {
  const told: string[] = [];
  const events = new EventTarget();
  const tell = (word: string) => {
    told.push(word);
    events.dispatchEvent(new Event(word));
  };
  return {
    told,
    until: async (word) => {
      if (!told.includes(word)) await once(events, word);
    },
    onUpstreamConnect: () => tell('connect'),
    onUpstreamBytes: (bytes, end) => tell(`bytes ${bytes.toString('latin1', 0, end)}`),
    onUpstreamDrain: () => tell('drain'),
    onUpstreamEnd: () => tell('end'),
    onUpstreamLost: (why) => tell(`lost ${why}`),
  };
}

/** A connection with the host's end of it. */
async function open(user = listener()): Promise<{ connection: UpstreamConnection; socket: Socket }> {
  const accepted = once(server, 'connection');
  const connection = pool.acquire(user);
  const [socket] = (await accepted) as [Socket];
  socket.on('error', () => {});
  await user.until('connect');
  return { connection, socket };
}

it('gives back the connection that was used last', async () => {
  const [first, second] = [await open(), await open()];
  pool.release(first.connection);
  pool.release(second.connection);
  expect(pool.acquire(listener())).toBe(second.connection);
  expect(pool.acquire(listener())).toBe(first.connection);
  expect(pool.acquire(listener()).connected).toBe(false);
});

it('tells the user of the moment, and nobody before it', async () => {
  const [earlier, later] = [listener(), listener()];
  const { connection, socket } = await open(earlier);
  pool.release(connection);
  pool.acquire(later);
  expect(connection.written).toBe(false);
  connection.write(Buffer.from('?'));
  expect(connection.written).toBe(true);
  socket.write('!');
  await later.until('bytes !');
  socket.end();
  await later.until('end');
  expect(earlier.told).toEqual(['connect']);
  expect(later.told).toEqual(['bytes !', 'end']);
});

it.each([
  ['FIN', (socket: Socket) => socket.end()],
  ['a reset', (socket: Socket) => socket.resetAndDestroy()],
  ['bytes that nobody asked for', (socket: Socket) => socket.write('!')],
])('never gives back a connection on which %s was delivered', async (_what, act) => {
  const { connection, socket } = await open();
  // So that it does not end for its age.
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(connection);
  const closed = once(socket, 'close');
  act(socket);
  socket.resume();
  // Ending an idle connection is the pool’s own end of it too.
  socket.on('end', () => socket.end());
  await closed;
  await vi.waitUntil(() => connection.ended);
  expect(pool.acquire(listener())).not.toBe(connection);
});

it('takes back no connection that has ended', async () => {
  const user = listener();
  const { connection, socket } = await open(user);
  socket.end();
  await user.until('end');
  pool.release(connection);
  expect(pool.acquire(listener())).not.toBe(connection);
});

it('says why a connection was lost, once', async () => {
  const user = listener();
  const { socket } = await open(user);
  socket.resetAndDestroy();
  await user.until('lost closed_early');
  expect(user.told).toEqual(['connect', 'lost closed_early']);
});

it('says that nobody listens', async () => {
  await listening.close();
  const user = listener();
  pool.acquire(user);
  await user.until('lost connect_failed');
  expect(user.told).toEqual(['lost connect_failed']);
});

it('gives up a connection that is not made in time, and forgets it if it is made then', async () => {
  const user = listener();
  // Timers are handled before sockets: what is due after no time rings before any connection is made.
  const connection = new Pool({ ...endpoint, connectTimeout: 0 }).acquire(user);
  const start = performance.now();
  while (performance.now() - start < 5);
  await user.until('lost connect_timeout');
  expect(connection.ended).toBe(true);
  expect(user.told).toEqual(['lost connect_timeout']);
});

it('tells a user that let go nothing more', async () => {
  const user = listener();
  const { connection, socket } = await open(user);
  const closed = once(socket.resume(), 'close');
  socket.on('end', () => socket.end('too late'));
  connection.destroy();
  await closed;
  expect(user.told).toEqual(['connect']);
});

it('hands out nothing that stood idle for more than four seconds, and closes it', async () => {
  const stale = await open();
  const { connection } = await open();
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(stale.connection);
  vi.advanceTimersByTime(3000);
  pool.release(connection);
  vi.advanceTimersByTime(1500);
  expect(pool.acquire(listener())).toBe(connection);
  expect(pool.acquire(listener())).not.toBe(stale.connection);
  expect(stale.connection.ended).toBe(true);
});

it('closes what nobody comes back for', async () => {
  const { connection, socket } = await open();
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  pool.release(connection);
  const ended = once(socket.resume(), 'end');
  vi.advanceTimersByTime(8000);
  expect(connection.ended).toBe(true);
  await ended;
});

it('keeps one pool an endpoint and connect timeout, and closes them all', async () => {
  const pools = new Pools();
  const one = pools.of(endpoint);
  expect(pools.of({ ...endpoint })).toBe(one);
  expect(pools.of({ ...endpoint, port: 1 })).not.toBe(one);
  expect(pools.of({ ...endpoint, connectTimeout: 1 })).not.toBe(one);
  pool = one;
  const { connection, socket } = await open();
  one.release(connection);
  const ended = once(socket.resume(), 'end');
  pools.close();
  expect(connection.ended).toBe(true);
  await ended;
});
