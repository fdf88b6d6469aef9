/** Opens a server on loopback and closes it with every connection it still has. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';

export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
  /** Accepts no connection any more, so that the next one is refused; resolves when the open ones have ended. */
  stop(): Promise<void>;
}

/**
 * Ports that the system does not give to those who ask for any free one (it begins with 32768). Each process of the test runner
 * has a block of them for itself, also beside another run of the tests: what a test has closed stays closed, and a server can
 * come back on its port.
 */
const FIRST_PORT = 20_000;
const BLOCK = 500;
const BLOCKS = 25;
let block: Promise<number> | undefined;
let next = 0;

async function nextPort(): Promise<number> {
  block ??= claimBlock();
  // The first port of the block shows that it is taken.
  next = (next % (BLOCK - 1)) + 1;
  return (await block) + next;
}

/** The first port of a block that no other process has, for as long as this process runs. */
async function claimBlock(): Promise<number> {
  for (let first = FIRST_PORT; first < FIRST_PORT + BLOCKS * BLOCK; first += BLOCK)
    if (await isListening(createServer().unref(), { port: first, host: '127.0.0.1' })) return first;
  throw new Error(`all ${BLOCKS} blocks of ports are taken: run fewer tests at a time`);
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
    const place = typeof at === 'string' ? { path: at } : { port: at || (await nextPort()), host };
    if (await isListening(server, place)) return;
    if (at !== 0) throw new Error(`${at} is in use`);
  }
}

/** False if the place is in use. */
async function isListening(server: Server, place: ListenOptions): Promise<boolean> {
  server.listen(place);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
