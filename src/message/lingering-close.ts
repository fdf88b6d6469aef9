/** The end of a connection: the last answer must arrive, and not be lost to a reset (RFC 9112 §9.6). */
import type { TLSSocket } from 'node:tls';

const MAX_BYTES = 64 * 1024;
/** After the answer has left. */
const MAX_MS = 1000;
/** For the answer to leave: a client that does not read is not waited for longer. */
const MAX_FLUSH_MS = 10_000;

/**
 * Sends `answer` (null: nothing more), half-closes, and reads what the client still sends, up to 64 KiB or one
 * second, before the socket is destroyed: unread bytes would make the kernel answer with RST, and curl show no page.
 * The caller has taken its own listeners for `data` and `end` off.
 */
export function lingeringClose(socket: TLSSocket, answer: Buffer | null): void {
  if (socket.destroyed) return;
  let discarded = 0;
  const destroy = () => socket.destroy();
  let timer = setTimeout(destroy, MAX_FLUSH_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.once('finish', () => {
    clearTimeout(timer);
    timer = setTimeout(destroy, MAX_MS);
  });
  socket.on('data', (bytes: Buffer) => {
    discarded += bytes.length;
    // No more is read, but not destroyed either: until the second is over the client can find the answer.
    if (discarded > MAX_BYTES) socket.pause();
  });
  // The client has closed its half: as soon as the answer is out, nobody is left.
  socket.once('end', () => {
    if (socket.writableFinished) destroy();
    else socket.once('finish', destroy);
  });
  if (answer === null) socket.end();
  else socket.end(answer);
  socket.resume();
}
