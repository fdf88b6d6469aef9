/** Servers that answer a ClientHello with something else than a handshake. */
import { createServer, type Socket } from 'node:net';
import { type Listening, listenOnLoopback } from '../process/listening.ts';

/** `answer`: called once the first bytes of each client have come, with how many clients came before. */
export function answerWith(answer: (socket: Socket, before: number) => void): Promise<Listening> {
  let clients = 0;
  return listenOnLoopback(
    createServer((socket) => {
      const before = clients++;
      socket.on('error', () => {});
      socket.once('data', () => answer(socket, before));
    }),
  );
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
