import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { AdminConnections } from '../../src/admin/connections.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

async function opened(limits: { count: number; time: number }) {
  const connections = new AdminConnections(limits);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    connections.add(socket);
  });
  const listening = await listenOnLoopback(server);
  const dial = async (): Promise<Socket> => {
    const socket = connect(listening.port, '127.0.0.1').resume();
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    return socket;
  };
  return { connections, dial, listening };
}

it('closes a connection when its time has passed, whether or not it is active', async () => {
  const { dial, listening } = await opened({ count: 10, time: 30 });
  await using _ = listening;
  const socket = await dial();
  const busy = setInterval(() => socket.write('x'), 1);
  await new Promise((done) => socket.once('error', done).once('close', done));
  clearInterval(busy);
});

it('closes the oldest connection at the limit, and all connections at the end', async () => {
  const { connections, dial, listening } = await opened({ count: 2, time: 600_000 });
  await using _ = listening;
  const closed: string[] = [];
  const sockets: Socket[] = [];
  for (const name of ['first', 'second', 'third']) {
    const socket = await dial();
    socket.once('close', () => closed.push(name));
    sockets.push(socket);
  }
  await once(sockets[0] as Socket, 'close');
  expect(closed).toEqual(['first']);
  connections.close();
  await Promise.all(sockets.slice(1).map((socket) => once(socket, 'close')));
});
