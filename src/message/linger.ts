/** The end of a connection: the last answer must arrive, and not be lost to a reset (RFC 9112 §9.6). */
import type { TLSSocket } from 'node:tls';

const MAX_BYTES = 64 * 1024;
const MAX_MS = 1000;
/** For the answer to leave: a client that reads slowly gets all of it, one that does not read is not waited for. */
const MAX_SEND_MS = 30_000;

/**
 * Sends `answer` (null: nothing), half-closes, and reads what the client still sends, up to 64 KiB or, once the
 * answer has left, one second, before the socket is destroyed: unread bytes would make the kernel answer with RST,
 * and curl show no page. The caller has taken its own listeners for `data` and `end` off.
 */
export function lingeringClose(socket: TLSSocket, answer: Buffer | null): void {
  if (socket.destroyed) return;
  let discarded = 0;
  const destroy = () => socket.destroy();
  let timer = setTimeout(destroy, MAX_SEND_MS);
  socket.once('finish', () => {
    clearTimeout(timer);
    timer = setTimeout(destroy, MAX_MS);
  });
  socket.once('close', () => clearTimeout(timer));
  /** Nothing more is heard from the client: as soon as the answer is out, nobody is left. */
  const deaf = () => {
    socket.pause();
    if (socket.writableFinished) destroy();
    else socket.once('finish', destroy);
  };
  socket.on('data', (bytes: Buffer) => {
    discarded += bytes.length;
    if (discarded > MAX_BYTES) deaf();
  });
  socket.once('end', deaf);
  if (answer === null) socket.end();
  else socket.end(answer);
  socket.resume();
}
