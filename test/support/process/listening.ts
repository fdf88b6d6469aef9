/** Opens a server on loopback and closes it with every connection it still has. */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
  /** Accepts no connection any more, so that the next one is refused; resolves when the open ones have ended. */
  stop(): Promise<void>;
}

/** `at`: a port, by default any free one, or the path of a Unix socket. */
export async function listenOnLoopback(
  server: Server,
  at: number | string = 0,
  host = '127.0.0.1',
): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(typeof at === 'string' ? { path: at } : { port: at, host });
  await once(server, 'listening');
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  const close = async () => {
    const stopped = stop();
    for (const socket of sockets) socket.destroy();
    await stopped;
  };
  return { port: (server.address() as AddressInfo).port, sockets, close, stop, [Symbol.asyncDispose]: close };
}
