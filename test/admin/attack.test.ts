/** Who floods the admin port, or does not read its answers, costs bounded work and memory, and health is answered. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openAdmin } from '../../src/admin/server.ts';
import { emptyStatus } from '../support/status.ts';

const stack: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const each of stack.splice(0)) await each.disposeAsync();
});

/** Like that of a gateway with many routes, and more than a kernel's buffers hold. */
const body = 'ehi_connections 1\n'.repeat(500_000);

async function opened(text = body, history = 0) {
  const opened = new AsyncDisposableStack();
  stack.push(opened);
  let made = 0;
  let documents = 0;
  const admin = await openAdmin({
    address: '127.0.0.1',
    port: 0,
    metrics: async () => {
      made++;
      return { body: text, contentType: 'text/plain' };
    },
    ready: () => ({ ready: true, reasons: [] }),
    upstreams: () => [],
    hosts: () => [],
    status: () => {
      documents++;
      const status = emptyStatus();
      return { ...status, gateway: { ...status.gateway, reasons: Array(history).fill('long') } };
    },
  });
  opened.defer(() => admin.close());
  const dial = async (): Promise<Socket> => {
    const socket = connect(admin.port, '127.0.0.1');
    socket.on('error', () => {});
    opened.defer(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { dial, made: () => made, documents: () => documents, base: `http://127.0.0.1:${admin.port}` };
}

const scrape = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

it('builds the metrics once for many connections that do not read them, and responds to a health check', async () => {
  const { dial, made, base } = await opened();
  const began = performance.now();
  const sockets = await Promise.all(Array.from({ length: 100 }, dial));
  for (const socket of sockets) socket.pause().write(scrape);
  // Their answers have begun, and cannot end.
  await Promise.all(sockets.map((socket) => once(socket, 'readable')));
  for (let count = 0; count < 20; count++) expect((await fetch(`${base}/healthz`)).status).toBe(200);
  // All that come within one second share one text, and hold no copy of it.
  expect(made()).toBeLessThanOrEqual(2 + Math.floor((performance.now() - began) / 1000));
});

it('makes the status document once for many connections that do not read it, and responds to a health check', async () => {
  const { dial, documents, base } = await opened('', 1_000_000);
  const began = performance.now();
  const sockets = await Promise.all(Array.from({ length: 100 }, dial));
  for (const socket of sockets) socket.pause().write('GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await Promise.all(sockets.map((socket) => once(socket, 'readable')));
  for (let count = 0; count < 20; count++) expect((await fetch(`${base}/healthz`)).status).toBe(200);
  // Once at first, and then once a second, however long a busy machine takes.
  expect(documents()).toBeLessThanOrEqual(2 + Math.floor((performance.now() - began) / 1000));
});

it('makes no status document until it is requested', async () => {
  const { documents, base } = await opened('');
  for (const path of ['/healthz', '/readyz', '/metrics', '/', '/api/status/schema']) await fetch(base + path);
  await fetch(`${base}/api/status`, { method: 'POST' });
  expect(documents()).toBe(0);
  let began: number;
  let before: number;
  do {
    [began, before] = [performance.now(), documents()];
    const heads = await Promise.all([1, 2].map(() => fetch(`${base}/api/status`, { method: 'HEAD' })));
    expect(heads.map(({ status }) => status)).toEqual([200, 200]);
    // A document is made once in a second: a busy machine may take longer for the two.
  } while (performance.now() - began >= 1_000);
  expect(documents()).toBeGreaterThan(0);
  expect(documents() - before).toBeLessThan(2);
});

it('responds to the first request of a connection only: pipelining queues nothing', async () => {
  const { dial, made } = await opened('ehi_connections 1\n');
  const socket = await dial();
  let answers = '';
  socket.on('data', (chunk) => {
    answers += chunk;
  });
  const closed = new Promise((done) => socket.once('close', done));
  socket.write(scrape.repeat(1_000));
  await closed;
  expect(answers.split('HTTP/1.1 ').length - 1).toBe(1);
  expect(made()).toBe(1);
});

it('responds with Connection: close, and closes the connection', async () => {
  const { dial } = await opened('ehi_connections 1\n');
  const socket = await dial();
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write(scrape);
  await once(socket, 'end');
  expect(answer).toContain('\r\nConnection: close\r\n');
  expect(answer.endsWith('ehi_connections 1\n')).toBe(true);
});

it('responds to a client that has half-closed, and to one that sends its head byte by byte', async () => {
  const { dial } = await opened('ehi_connections 1\n');
  for (const pieces of [[scrape], [...scrape]]) {
    const socket = await dial();
    const answered = text(socket);
    for (const piece of pieces.slice(0, -1)) {
      socket.write(piece);
      await turn();
    }
    socket.end(pieces.at(-1) ?? '');
    expect(await answered).toContain('HTTP/1.1 200 OK\r\n');
  }
});

it('responds to a request that begins with empty lines, and once', async () => {
  const { dial } = await opened('ehi_connections 1\n');
  for (const lines of ['\r\n', '\r\n\r\n', '\n\n', '\r\n\r\n\r\n\n'])
    for (const pieces of [[`${lines}${scrape}${scrape}`], [lines, scrape], [...lines, ...scrape]]) {
      const socket = await dial();
      const answered = text(socket);
      for (const piece of pieces) {
        socket.write(piece);
        await turn();
      }
      expect((await answered).split('HTTP/1.1 200 OK\r\n')).toHaveLength(2);
    }
});

it('refuses a head that is too long, and closes a connection without a request', async () => {
  const { dial } = await opened();
  const [long, silent] = [await dial(), await dial()];
  long.end(`GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(await text(long)).toContain('HTTP/1.1 431 ');
  silent.end();
  expect(await text(silent)).not.toContain('200');
});

it('closes the oldest connection at the limit, so that a health check gets through', async () => {
  const { dial, base } = await opened();
  const silent = await Promise.all(Array.from({ length: 256 }, dial));
  let closed = 0;
  for (const socket of silent) socket.resume().once('close', () => closed++);
  expect((await fetch(`${base}/healthz`)).status).toBe(200);
  while (closed === 0) await turn();
  expect(closed).toBe(1);
});
