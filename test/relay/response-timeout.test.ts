/** Whose turn it is, and that an event loop that stood still is not held against the host. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ResponseTimeout } from '../../src/relay/response-timeout.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

type Lost = ConstructorParameters<typeof ResponseTimeout>[0];

/** Blocks this thread, as a long collection of garbage would. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

it.each([
  ['before the first byte', { firstByte: 10, idle: null }, false, 'first_byte_timeout'],
  ['after it', { firstByte: null, idle: 10 }, true, 'idle_timeout'],
] as const)('is lost once %s', async (_when, limits, heard, reason) => {
  const lost = Promise.withResolvers<Parameters<Lost>[0]>();
  const patience = new ResponseTimeout(lost.resolve);
  patience.begin(limits);
  if (heard) patience.received();
  patience.start();
  expect(await lost.promise).toBe(reason);
});

it.each([
  ['nothing limits it', { firstByte: null, idle: 10 }, () => {}],
  ['it is not the host’s turn', { firstByte: 10, idle: 10 }, (patience: ResponseTimeout) => patience.stop()],
  ['the connection is gone', { firstByte: 10, idle: 10 }, (patience: ResponseTimeout) => patience.close()],
  [
    'the next message begins',
    { firstByte: 10, idle: 10 },
    (patience: ResponseTimeout) => {
      patience.stop();
      patience.begin({ firstByte: null, idle: 10 });
      patience.start();
    },
  ],
])('lasts while %s', async (_what, limits, change) => {
  const lost: string[] = [];
  const patience = new ResponseTimeout((why) => lost.push(why));
  const measure = Promise.withResolvers<string>();
  const other = new ResponseTimeout(measure.resolve);
  patience.begin(limits);
  patience.start();
  change(patience);
  // Begun later, for as long: had the first been lost, it would be by now.
  other.begin({ firstByte: 11, idle: null });
  other.start();
  await measure.promise;
  expect(lost).toEqual([]);
});

it('is not lost for bytes that came while the event loop stood still', async () => {
  const server = createServer();
  await using listening = await listenOnLoopback(server);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect(listening.port, '127.0.0.1');
  const [host] = await accepted;
  await once(socket, 'connect');

  const lost: string[] = [];
  const patience = new ResponseTimeout((why) => lost.push(why));
  socket.on('data', () => {
    patience.received();
    patience.stop();
  });
  patience.begin({ firstByte: 10, idle: null });
  patience.start();
  const read = once(socket, 'data');
  host.write('x');
  standStill(50);
  await read;
  await turn();
  await turn();
  expect(lost).toEqual([]);
  socket.destroy();
  host.destroy();
});
