/** Closes a connection in stages, so that a TCP reset does not destroy the last response (RFC 9112 §9.6). */
import type { TLSSocket } from 'node:tls';

const MAX_BYTES = 64 * 1024;
/** Time to read on after the response was sent, ms. */
const MAX_MS = 1000;
/** Time for the response to be sent, ms: limits a client that does not read. */
const MAX_FLUSH_MS = 10_000;

/**
 * Sends `answer` (null: nothing), half-closes, and discards what the client still sends, up to 64 KiB or one second, before
 * it destroys the socket: unread bytes would make the kernel send RST, and the client might lose the response.
 * The caller must have removed its own `data` and `end` listeners.
 */
export function lingeringClose(socket: TLSSocket, answer: Buffer | null): void {
  if (socket.destroyed) return;
  let discarded = 0;
  const destroy = () => socket.destroy();
  // One timer for both limits, since nearly every connection closes before it fires.
  let due = performance.now() + MAX_FLUSH_MS;
  const check = () => {
    const left = Math.ceil(due - performance.now());
    if (left <= 0) destroy();
    else timer = setTimeout(check, Math.min(left, MAX_MS));
  };
  let timer = setTimeout(check, MAX_MS);
  socket.on('close', () => clearTimeout(timer));
  socket.on('finish', () => {
    due = performance.now() + MAX_MS;
  });
  socket.on('data', (bytes: Buffer) => {
    discarded += bytes.length;
    // Stop reading, but keep the socket until the second is over, so that the client can still read the response.
    if (discarded > MAX_BYTES) socket.pause();
  });
  // The client has closed its side: destroy the socket as soon as the response is sent.
  socket.on('end', () => {
    if (socket.writableFinished) destroy();
    else socket.on('finish', destroy);
  });
  if (answer === null) socket.end();
  else socket.end(answer);
  socket.resume();
}
