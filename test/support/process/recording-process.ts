/**
 * A host in a process of its own, to be killed: `node recording-process.ts PORT FILE SEED`. It writes the `X-Message-Id`
 * of every message it has received to the file, and only then, a random moment later, answers with it.
 */
import { appendFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeMessage } from '../http/http.ts';
import { Random } from '../random.ts';
import { response } from './host.ts';

const [port, file = '', seed] = process.argv.slice(2);
const random = new Random(Number(seed));
/** Milliseconds between the record and the answer, or its halves, at most. */
const slowest = 15;

const server = createServer({ noDelay: true }, (socket) => {
  let pending = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', async (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    const message = takeMessage(pending);
    if (message === null) return;
    pending = pending.subarray(message.raw.length);
    const id = message.field('x-message-id') ?? '';
    appendFileSync(file, `${id}\n`);
    await sleep(random.next() * slowest);
    const answer = response({ fields: [`X-Message-Id: ${id}`], body: '{"Acknowledgement":"1"}' });
    // Now and then in two halves: a death in between leaves an answer that has begun.
    const half = random.chance(0.25) ? answer.length - 10 : 0;
    socket.write(answer.subarray(0, half));
    if (half > 0) await sleep(random.next() * slowest);
    socket.write(answer.subarray(half));
  });
});

server.listen({ port: Number(port), host: '127.0.0.1', reusePort: true }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
// Not even a test that was broken off leaves it behind.
process.on('disconnect', () => process.exit());
