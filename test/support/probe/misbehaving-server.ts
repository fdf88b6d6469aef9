/** Servers that answer a ClientHello with something else than a handshake. */
import { connect, createServer, type Socket } from 'node:net';
import { type Listening, listenOnLoopback } from '../process/listening.ts';

export interface Client {
  readonly socket: Socket;
  /** The first bytes that came: the ClientHello. */
  readonly hello: Buffer;
  /** How many clients came before. */
  readonly before: number;
}

/** `answer`: called once the first bytes of each client have come. */
export function answerWith(answer: (client: Client) => void): Promise<Listening> {
  let clients = 0;
  return listenOnLoopback(
    createServer((socket) => {
      const before = clients++;
      socket.on('error', () => {});
      socket.once('data', (hello: Buffer) => answer({ socket, hello, before }));
    }),
  );
}

/** Leaves the answer to the server at this port. */
export function forward({ socket, hello }: Client, port: number): void {
  const onward = connect({ port, host: '127.0.0.1' });
  onward.on('error', () => {});
  onward.write(hello);
  onward.pipe(socket).pipe(onward);
}

/** Writes one byte after the other, each in a segment of its own. Ends the connection after the last. */
export function drip(socket: Socket, bytes: Uint8Array): void {
  socket.setNoDelay(true);
  let at = 0;
  const next = () => {
    if (socket.destroyed) return;
    if (at === bytes.length) socket.end();
    else socket.write(bytes.subarray(at, ++at), () => setImmediate(next));
  };
  next();
}
