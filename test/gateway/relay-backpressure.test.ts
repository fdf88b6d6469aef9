/** Slow readers on either side: the gateway stops reading from the other side and holds no more than its buffers. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const MiB = 1024 * 1024;
const size = 200 * MiB;
/** How far the gateway's memory may grow: its buffers, and garbage, of which V8 lets 64 MiB pile up outside its heap. */
const allowed = 96 * MiB;
const payload = randomBytes(MiB);

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    routes: [
      { path: '/', deadline: '5m' },
      { path: '/quick', deadline: '3s' },
    ],
    config: { limits: { body: '300MiB' } },
  });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(() => stage[Symbol.asyncDispose]());

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${stage.gateway.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Waits for round trips on another connection, so that the gateway has run many event loop turns. */
async function letPass(roundTrips: number): Promise<void> {
  await using other = await stage.connect();
  for (let trip = 0; trip < roundTrips; trip++) {
    expect(statusOf(await other.exchange(post({ target: '/other' })))).toBe(200);
  }
}

/** Writes `size` bytes as fast as the socket accepts them; reports the bytes written so far. */
function pour(
  socket: Socket,
  block = payload,
): { readonly poured: () => number; readonly digest: Promise<string> } {
  let poured = 0;
  const hash = createHash('sha256');
  const digest = (async () => {
    while (poured < size) {
      poured += block.length;
      hash.update(block);
      if (!socket.write(block)) await once(socket, 'drain');
    }
    return hash.digest('hex');
  })();
  return { poured: () => poured, digest };
}

/** Reads the payload after the head, slower than the sender sends; the gateway's memory at its highest. */
async function readSlowly(socket: Socket): Promise<{ digest: string; peak: number }> {
  const hash = createHash('sha256');
  let peak = 0;
  let received = 0;
  let head: Buffer | null = Buffer.alloc(0);
  let sips = 0;
  socket.resume();
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let payload = chunk;
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      payload = head.subarray(end + 4);
      head = null;
    }
    hash.update(payload);
    received += payload.length;
    if (++sips % 500 === 0) peak = Math.max(peak, await residentBytes());
    if (received === size) break;
  }
  return { digest: hash.digest('hex'), peak };
}

const linux = it.runIf(process.platform === 'linux');

linux('holds back a host whose answer of 200 MB the client does not read', async () => {
  await letPass(100);
  const before = await residentBytes();
  let source: ReturnType<typeof pour> | undefined;
  stage.host.options.answer = (request, socket) => {
    if (request.startLine.includes('/other')) return acknowledgement;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    source = pour(socket);
    return null;
  };
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.socket.removeAllListeners('data').pause();
  client.write(post({ target: '/download', fields: ['Connection: close'] }));
  const request = await stage.host.request(index);
  await letPass(500);
  const held = source?.poured() ?? 0;
  await letPass(100);
  // The transfer stalls: only what the kernel's buffers hold was accepted.
  expect(source?.poured()).toBe(held);
  expect(held).toBeLessThan(size / 2);
  expect((await residentBytes()) - before).toBeLessThan(allowed);

  const { digest, peak } = await readSlowly(client.socket);
  expect(digest).toBe(await source?.digest);
  expect(peak - before).toBeLessThan(allowed);
  expect(await messageOf(stage.gateway, request)).toMatchObject({
    outcome: 'answered',
    response_bytes: size,
  });
});

linux('holds back a client whose upload of 200 MB the host does not read', async () => {
  await letPass(100);
  const before = await residentBytes();
  const connected = new Promise<Socket>((resolve) => {
    stage.host.options.onConnection = (socket) => {
      delete stage.host.options.onConnection;
      socket.removeAllListeners('data').pause();
      resolve(socket);
    };
  });
  for (const socket of stage.host.sockets) socket.destroy();
  await using client = await stage.connect();
  client.write(`POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const source = pour(client.socket);
  const socket = await connected;
  await letPass(500);
  const held = source.poured();
  await letPass(100);
  expect(source.poured()).toBe(held);
  expect(held).toBeLessThan(size / 2);
  expect((await residentBytes()) - before).toBeLessThan(allowed);

  const { digest, peak } = await readSlowly(socket);
  expect(digest).toBe(await source.digest);
  expect(peak - before).toBeLessThan(allowed);
  socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  expect(statusOf(await client.response())).toBe(200);
  const record = await stage.gateway.audit(({ path }) => path === '/upload');
  expect(record).toMatchObject({ outcome: 'answered', request_bytes: size });
});

linux('holds back a host that sends interim answers without end to a client that does not read', async () => {
  await letPass(100);
  const before = await residentBytes();
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${'a'.repeat(8000)}>\r\n\r\n`;
  let source: ReturnType<typeof pour> | undefined;
  stage.host.options.answer = (request, socket) => {
    if (request.startLine.includes('/other')) return acknowledgement;
    source = pour(socket, Buffer.from(hint.repeat(100)));
    source.digest.catch(() => {});
    return null;
  };
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.socket.pause();
  client.write(post({ target: '/hints' }));
  const request = await stage.host.request(index);
  await letPass(500);
  const held = source?.poured();
  await letPass(100);
  expect(source?.poured()).toBe(held);
  expect((await residentBytes()) - before).toBeLessThan(allowed);
  await client[Symbol.asyncDispose]();
  const record = await messageOf(stage.gateway, request);
  expect(record).toMatchObject({ outcome: 'client_gone', status: null, response_bytes: 0 });
});

it('cuts a response that the client does not read at the deadline, closes the connection to the host, and counts no host failure', async () => {
  const asked = new Promise<Socket>((resolve) => {
    stage.host.options.answer = (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      pour(socket).digest.catch(() => {});
      resolve(socket);
      return null;
    };
  });
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.socket.pause();
  client.write(post({ target: '/quick' }));
  const socket = await asked;
  if (!socket.closed) await new Promise((closed) => socket.once('close', closed));
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'cut', reason: 'answer_unread', status: 200 });
  expect(record.response_bytes).toBeLessThan(size);
  client.socket.resume();
  await expect(client.response()).rejects.toThrow(/ended after/);
  expect(client.error).toMatchObject({ code: 'ECONNRESET' });
});
