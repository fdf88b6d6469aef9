/** One connection over real sockets: what its user and its opener are called with. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { UpstreamUser } from '../../src/upstream/connection-roles.ts';
import { Pool } from '../../src/upstream/pool.ts';
import { endpointAt, recorder, type TestRecorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { connectTo, openTo, recordingUser, silentUser } from '../support/process/upstream-user.ts';

let server: Server;
let listening: Listening;
let pool: Pool;
let records: TestRecorder;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  listening = await listenOnLoopback(server);
  records = recorder();
  pool = new Pool({ endpoint: endpointAt(listening.port), recorder: records });
});

afterEach(async () => {
  pool.close();
  await listening.close();
});

const open = (user: UpstreamUser = silentUser()) => openTo(server, pool, user);
const take = (user: UpstreamUser = silentUser()) => pool.take(user, performance.now());
const endpointState = () => records.meter.take()?.endpoints[0];

it('reports to the current user of a connection, and not to an earlier one', async () => {
  const [earlier, later] = [recordingUser(), recordingUser()];
  const { connection, socket } = await open(earlier);
  pool.release(connection, -1);
  take(later);
  connection.write(Buffer.from('?'));
  socket.write('!');
  await later.until('bytes !');
  socket.end();
  await later.until('end');
  expect(earlier.calls).toEqual([]);
  expect(later.calls).toEqual(['bytes !', 'end']);
});

it('sees a FIN on an idle connection that its last user had paused', async () => {
  const { connection, socket } = await open();
  connection.pause();
  pool.release(connection, -1);
  socket.end();
  await vi.waitUntil(() => connection.ended);
  expect(take()).toBe(null);
});

it('reports whether the host reads what is written', async () => {
  const user = recordingUser();
  const { connection, socket } = await open(user);
  socket.pause();
  expect(connection.drained).toBe(true);
  while (connection.write(Buffer.alloc(1024 * 1024)));
  expect(connection.drained).toBe(false);
  socket.resume();
  await user.until('drain');
  expect(connection.drained).toBe(true);
});

it('reports once why a connection was lost', async () => {
  const user = recordingUser();
  const { socket } = await open(user);
  socket.resetAndDestroy();
  await user.until('lost closed_early');
  expect(user.calls).toEqual(['lost closed_early']);
});

it('reports that no server listens', async () => {
  await listening.close();
  await expect(connectTo(pool)).rejects.toThrow('connect_failed ECONNREFUSED');
  expect(endpointState()).toMatchObject({ connects: { connect_failed: 1 }, inUse: 0 });
});

it('does not count the time for which the event loop was blocked against the host', async () => {
  const connected = connectTo(pool, 10);
  const start = performance.now();
  // The timer is due, and runs before sockets are read.
  while (performance.now() - start < 100);
  expect((await connected).ended).toBe(false);
});

it('does not call a user after it has destroyed its connection', async () => {
  const user = recordingUser();
  const { connection, socket } = await open(user);
  const closed = once(socket.resume(), 'close');
  socket.on('end', () => socket.end('too late'));
  connection.destroy();
  await closed;
  expect(user.calls).toEqual([]);
});

it('does not call an opener after it has cancelled its attempt', async () => {
  let calls = 0;
  const count = () => {
    calls++;
  };
  pool.connect({ timeout: 10_000 }, { onOpen: count, onOpenFailed: count }).cancel();
  // A later connection is open: the cancelled one would be too.
  await connectTo(pool);
  expect(calls).toBe(0);
});
