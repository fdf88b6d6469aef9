/** Chooses the same ports at every start if they are free, so that printed commands can be reused. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** Listens on 127.0.0.1, on the preferred port or, if that is in use, on a free one; resolves with the port. */
export async function listen(server: Server, preferred: number): Promise<number> {
  try {
    return await listenOn(server, preferred);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    return await listenOn(server, 0);
  }
}

/** Finds a free port for another server: the preferred one if it is free. */
export async function findPort(preferred: number): Promise<number> {
  const server = createServer();
  const port = await listen(server, preferred);
  server.close();
  await once(server, 'close');
  return port;
}

async function listenOn(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
