/** When the timeout runs, and that the time for which the event loop was blocked does not count against the host. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FirstByteTimeout } from '../../src/relay/first-byte-timeout.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

type OnTimeout = ConstructorParameters<typeof FirstByteTimeout>[0];

/** Blocks this thread, as a long garbage collection would. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

it.each([
  ['before the first byte', { firstByte: 10, idle: null }, false, 'first_byte_timeout'],
  ['between two reads', { firstByte: null, idle: 10 }, true, 'idle_timeout'],
] as const)('fires %s', async (_when, limits, received, reason) => {
  const fired = Promise.withResolvers<Parameters<OnTimeout>[0]>();
  const timeout = new FirstByteTimeout(fired.resolve);
  timeout.begin(limits);
  if (received) timeout.received();
  timeout.start();
  expect(await fired.promise).toBe(reason);
});

it.each([
  ['there is no limit', { firstByte: null, idle: 10 }, () => {}],
  ['it is stopped', { firstByte: 10, idle: 10 }, (timeout: FirstByteTimeout) => timeout.stop()],
  ['it is closed', { firstByte: 10, idle: 10 }, (timeout: FirstByteTimeout) => timeout.close()],
  [
    'the next message begins',
    { firstByte: 10, idle: 10 },
    (timeout: FirstByteTimeout) => {
      timeout.stop();
      timeout.begin({ firstByte: null, idle: 10 });
      timeout.start();
    },
  ],
])('does not fire if %s', async (_what, limits, change) => {
  const fired: string[] = [];
  const timeout = new FirstByteTimeout((why) => fired.push(why));
  const measure = Promise.withResolvers<string>();
  const other = new FirstByteTimeout(measure.resolve);
  timeout.begin(limits);
  timeout.start();
  change(timeout);
  // Started later, with a longer limit: the first one would have fired by now.
  other.begin({ firstByte: 11, idle: null });
  other.start();
  await measure.promise;
  expect(fired).toEqual([]);
});

it('does not fire for bytes that arrived while the event loop was blocked', async () => {
  const server = createServer();
  await using listening = await listenOnLoopback(server);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(listening.port, '127.0.0.1');
  const [host] = await accepted;
  await once(socket, 'connect');

  const fired: string[] = [];
  const timeout = new FirstByteTimeout((why) => fired.push(why));
  socket.on('data', () => {
    timeout.received();
    timeout.stop();
  });
  timeout.begin({ firstByte: 10, idle: null });
  timeout.start();
  const read = once(socket, 'data');
  host.write('x');
  block(50);
  await read;
  await turn();
  await turn();
  expect(fired).toEqual([]);
  socket.destroy();
  host.destroy();
});
