/** Opens a server on loopback and closes it with every connection it still has. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
  /** Accepts no connection any more, so that the next one is refused; resolves when the open ones have ended. */
  stop(): Promise<void>;
}

/**
 * Ports that the system does not give to those who ask for any free one (it begins with 32768), 2,000 for each worker of the test
 * runner: what a test has closed stays closed, and a server can come back on its port.
 */
const FIRST_PORT = 20_000;
const PORTS = 2_000;
const WORKERS = 6;
const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
let next = Math.floor(Math.random() * PORTS);

function nextPort(): number {
  next = (next + 1) % PORTS;
  return FIRST_PORT + worker * PORTS + next;
}

/** A port without a listener: connections to it are refused. */
export async function deadPort(): Promise<number> {
  const unused = await listenOnLoopback(createServer());
  await unused.close();
  return unused.port;
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
  await listen(server, at, host);
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

async function listen(server: Server, at: number | string, host: string): Promise<void> {
  for (;;) {
    server.listen(typeof at === 'string' ? { path: at } : { port: at || nextPort(), host });
    try {
      await once(server, 'listening');
      return;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (at !== 0 || !isTaken) throw error;
    }
  }
}
