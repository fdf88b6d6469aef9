/** Hosts that stop sending before or within the response, and the count of late messages. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

/** Only the timeout of the route can end the wait in a test: the deadline is five minutes. */
beforeAll(async () => {
  stage = await openStage({
    routes: [
      { path: '/' },
      { path: '/first', firstByte: '1s', budget: '1m' },
      { path: '/idle', idle: '1s' },
      { path: '/idle/slow', idle: '3s' },
      { path: '/idle/asis', idle: '1s', contentLength: 'asis' },
    ],
  });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Makes the host answer the next message with only these bytes; resolves with its socket. */
function stopAfter(bytes: string): Promise<Socket> {
  return new Promise((resolve) => {
    stage.host.options.answer = (_request, socket) => {
      if (bytes !== '') socket.write(bytes);
      resolve(socket);
      return null;
    };
  });
}

/** Reads and discards until more than `size` bytes have arrived. */
async function take({ socket }: Client, size: number): Promise<void> {
  let received = 0;
  socket.removeAllListeners('data').on('data', (piece: Buffer) => {
    received += piece.length;
    if (received > size) socket.emit('whole');
  });
  const whole = once(socket, 'whole');
  socket.resume();
  await whole;
}

async function expectLetGo(asked: Promise<Socket>): Promise<void> {
  const socket = await asked;
  if (!socket.closed) await once(socket, 'close');
}

async function expectTimeout(answer: Message, reason: string): Promise<void> {
  expect(statusOf(answer)).toBe(504);
  expect(answer.raw.toString()).not.toMatch(/acknowledg|responsestatus/i);
  const record = await messageOf(stage.gateway, answer);
  expect(record).toMatchObject({ outcome: 'failed', status: 504, reason, response_bytes: 0 });
  expect(record.upstream_ms).toBeGreaterThanOrEqual(1000);
}

/** Waits for a timed-out message on another connection: more time than any timeout of this file has passed. */
async function outlast(): Promise<void> {
  const { answer } = stage.host.options;
  const asked = stopAfter('');
  expect(statusOf(await stage.send(post({ target: '/first' })))).toBe(504);
  await expectLetGo(asked);
  if (answer !== undefined) stage.host.options.answer = answer;
}

it.each([
  ['a new connection', 0],
  ['a warm connection', 1],
] as const)(
  'answers 504 when the host sends nothing for firstByte on %s, and closes that connection',
  async (_, warm) => {
    await using client = await stage.connect();
    for (let each = 0; each < warm; each++) await client.exchange(post());
    const index = stage.host.requests.length;
    const asked = stopAfter('');
    const answer = await client.exchange(post({ target: '/first' }));
    await expectTimeout(answer, 'first_byte_timeout');
    expect(answer.field('connection')).toBeUndefined();
    await expectLetGo(asked);
    // The message is not sent again, and a late response of the host is assigned to no message.
    expect(stage.host.requests.length).toBe(index + 1);
    stage.host.options.answer = () => response({ body: 'in time' });
    expect((await client.exchange(post({ target: '/first' }))).body.toString()).toBe('in time');
  },
);

it('starts firstByte at the end of the request', async () => {
  await using client = await stage.connect();
  const begun = new Promise<void>((resolve) => {
    stage.host.options.onHead = () => {
      delete stage.host.options.onHead;
      resolve();
    };
  });
  client.write('POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
  await begun;
  await outlast();
  expect(statusOf(await client.exchange('half'))).toBe(200);
});

it('ends the firstByte timeout with the first byte', async () => {
  await using client = await stage.connect();
  const asked = stopAfter('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
  const begun = once(client.socket, 'data');
  client.write(post({ target: '/first' }));
  await begun;
  await outlast();
  (await asked).write('k');
  expect((await client.response()).body.toString()).toBe('ok');
});

it.each([
  ['in the middle of its head', 'HTTP/1.1 200 OK\r\nContent-'],
  ['after an interim response', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ['in a response that is collected', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ['in a response until close', 'HTTP/1.1 200 OK\r\n\r\n{"Acknowledgement":"1"}'],
])('answers 504 when the host sends nothing for idle %s', async (_what, bytes) => {
  const asked = stopAfter(bytes);
  await using client = await stage.connect();
  client.write(post({ target: '/idle' }));
  let answer = await client.response();
  if (statusOf(answer) === 102) answer = await client.response();
  await expectTimeout(answer, 'idle_timeout');
  await expectLetGo(asked);
});

it.each([
  ['with Content-Length', '/idle', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  [
    'that is relayed as it arrives',
    '/idle/asis',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  ],
])('cuts a response %s when the host sends nothing for idle', async (_what, target, bytes) => {
  const index = stage.host.requests.length;
  const asked = stopAfter(bytes);
  await using client = await stage.connect();
  client.write(post({ target }));
  await expect(client.response()).rejects.toThrow(/ended after/);
  expect(client.error).toMatchObject({ code: 'ECONNRESET' });
  await expectLetGo(asked);
  expect(await messageOf(stage.gateway, await stage.host.request(index))).toMatchObject({
    outcome: 'cut',
    reason: 'idle_timeout',
    status: 200,
    response_bytes: 4,
  });
});

it('accepts a slow host whose pauses are shorter than idle', async () => {
  const asked = stopAfter('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
  await using client = await stage.connect();
  const index = stage.host.requests.length;
  client.write(post({ target: '/idle/slow' }));
  const socket = await asked;
  const trickle = setInterval(() => socket.write('x'), 700);
  const answer = await client.response().finally(() => clearInterval(trickle));
  expect(answer.body.toString()).toBe('xxxxx');
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record.outcome).toBe('answered');
  expect(record.upstream_ms).toBeGreaterThan(3000);
});

it.each([
  ['with Content-Length', (body: Buffer) => response({ body })],
  ['without', (body: Buffer) => Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), body])],
])('stops reading from the host while a client is slow, without a failure: %s', async (_what, answerOf) => {
  const body = Buffer.alloc(64 * 1024 * 1024, 'a');
  const asked = new Promise<Socket>((resolve) => {
    stage.host.options.answer = (_request, socket) => {
      socket.end(answerOf(body));
      resolve(socket);
      return null;
    };
  });
  await using client = await stage.connect();
  const index = stage.host.requests.length;
  client.socket.pause();
  client.write(post({ target: '/idle/slow' }));
  const socket = await asked;
  // Longer than idle, with full buffers and no reader.
  for (let each = 0; each < 4; each++) await outlast();
  expect(socket.writableLength).toBeGreaterThan(0);
  await take(client, body.length);
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'answered', response_bytes: body.length });
});

it('counts no failure of a host that answered early while a slow client sends the rest of the request', async () => {
  const body = Buffer.alloc(64 * 1024 * 1024, 'a');
  const answering = new Promise<void>((resolve) => {
    stage.host.options.onHead = (_head, socket) => {
      delete stage.host.options.onHead;
      socket.write(response({ body }));
      resolve();
    };
  });
  await using client = await stage.connect();
  client.socket.pause();
  client.write('POST /idle HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
  await answering;
  await outlast();
  stage.host.options.answer = () => null;
  const index = stage.host.requests.length;
  client.write('half');
  await stage.host.request(index);
  for (let each = 0; each < 3; each++) await outlast();
  await take(client, body.length);
  const record = await messageOf(stage.gateway, stage.host.requests[index] as Message);
  expect(record).toMatchObject({ outcome: 'answered', reason: null, response_bytes: body.length });
});

it('counts late messages, including failed and aborted ones, and the share of the deadline that each took', async () => {
  await using fresh = await openStage({
    routes: [
      { path: '/', budget: '30s' },
      { path: '/late', budget: '1ms', deadline: '100ms' },
      { path: '/failed', budget: '30s', deadline: '100ms' },
      { path: '/gone', budget: '30s' },
      { path: '/slow', budget: '1ms' },
    ],
  });
  await fresh.send(post());
  await fresh.send(post({ target: '/%' }));
  fresh.host.options.answer = (_request, socket) => {
    setTimeout(() => socket.write(acknowledgement), 20);
    return null;
  };
  expect(statusOf(await fresh.send(post({ target: '/slow' })))).toBe(200);
  fresh.host.options.answer = () => null;
  expect(statusOf(await fresh.send(post({ target: '/late' })))).toBe(504);
  expect(statusOf(await fresh.send(post({ target: '/failed' })))).toBe(504);
  {
    const transport = connectTcp({ port: fresh.gateway.port, host: '127.0.0.1' });
    await using client = await fresh.connect({ socket: transport });
    const index = fresh.host.requests.length;
    client.write(post({ target: '/gone' }));
    await fresh.host.request(index);
    expect(statusOf(await fresh.send(post({ target: '/late' })))).toBe(504);
    // A client that only closes its side still waits for the response.
    transport.resetAndDestroy();
  }
  const count = (name: string, route: string) => `${name}{route="${route}"}`;
  const late = 'ehi_messages_late_total';
  const samples = await metricsWhen(fresh.gateway, (each) => each.get(count(late, '/gone')) === 1);
  const counts = ['/', '/slow', '/late', '/failed'].map((route) => samples.get(count(late, route)));
  expect(counts).toEqual([0, 1, 2, 1]);
  expect(samples.has(count(late, 'none'))).toBe(false);
  const ratio = (le: string, route: string) =>
    samples.get(`ehi_message_budget_ratio_bucket{le="${le}",route="${route}"}`);
  expect([ratio('1', '/'), ratio('10', '/late'), ratio('+Inf', '/late')]).toEqual([1, 0, 2]);
  expect(samples.get(count('ehi_message_budget_ratio_sum', '/late'))).toBeGreaterThanOrEqual(200);
});
