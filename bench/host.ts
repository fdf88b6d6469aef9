/** The internal host: reads a message with its Content-Length and always sends the same acknowledgement. */
import { createServer, type Socket } from 'node:net';
import { acknowledgement } from './message.ts';

/** Sent by the parent, which gets the head of the latest message in return. */
export type HostQuestion = 'head';
export type HostAnswer = { readonly port: number } | { readonly head: string };

const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${acknowledgement.length}\r\n\r\n${acknowledgement}`,
);

let latestHead = '';

function serve(socket: Socket): void {
  let pending: Buffer | undefined;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    for (let length = messageLength(bytes); bytes.length >= length; length = messageLength(bytes)) {
      bytes = bytes.subarray(length);
      socket.write(answer);
    }
    pending = bytes.length === 0 ? undefined : bytes;
  });
}

/** Bytes of the first message, or infinity while its head is not complete. */
function messageLength(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return Number.POSITIVE_INFINITY;
  latestHead = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(latestHead)?.[1];
  if (length === undefined)
    throw new Error(`a message without Content-Length reached the host:\n${latestHead}`);
  return end + 4 + Number(length);
}

const reply = (answer: HostAnswer) => process.send?.(answer);
const server = createServer({ noDelay: true }, serve).listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') reply({ port: address.port });
});
process.on('message', (_question: HostQuestion) => reply({ head: latestHead }));
process.on('disconnect', () => process.exit());
