/** Hosts that fail before they answer: the client gets an error that is no acknowledgement, and nothing is sent twice. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { post } from '../support/client.ts';
import { acknowledgement, response } from '../support/host.ts';
import { type Message, statusOf } from '../support/http.ts';
import { listenOnLoopback } from '../support/listening.ts';
import { messageOf } from '../support/records.ts';
import { openStage, type Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  const unused = await listenOnLoopback(createServer());
  await unused.close();
  stage = await openStage({
    routes: [
      { path: '/' },
      { path: '/quick', deadline: '150ms' },
      { path: '/nobody', upstream: `http://127.0.0.1:${unused.port}` },
    ],
  });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(() => stage[Symbol.asyncDispose]());

interface Failure {
  readonly status: 502 | 504;
  readonly reason: string;
}

/** An error of the gateway's own: short JSON with the request's id, and nothing that could be an acknowledgement. */
async function expectError(answer: Message, { status, reason }: Failure): Promise<void> {
  expect(statusOf(answer)).toBe(status);
  expect(answer.field('content-type')).toBe('application/json');
  expect(answer.field('content-length')).toBe(`${answer.body.length}`);
  expect(answer.body.length).toBeLessThan(200);
  expect(answer.raw.toString()).not.toMatch(/acknowledg|responsestatus/i);
  const id = answer.field('x-request-id');
  expect(JSON.parse(answer.body.toString())).toEqual({ error: expect.any(String), request_id: id });
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', status, reason });
}

it.each([
  ['not HTTP', 'hello\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 99 OK\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['NUL in a field', 'HTTP/1.1 200 OK\r\nX: \0\r\n\r\n'],
  ['a folded field', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nX : 1\r\n\r\n'],
  ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n'],
  ['a coding that nobody asked for', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  [
    'a chunk size that is no number, with the head',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
  ],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20_000)}`],
  ['fields without end', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(101)}\r\n`],
])('answers 502 when the host’s answer is %s', async (_what, bytes) => {
  stage.host.options.answer = () => Buffer.from(bytes, 'latin1');
  await using client = await stage.connect();
  await expectError(await client.exchange(post()), { status: 502, reason: 'bad_answer' });
  // The client’s connection is in order, and goes on; the host’s is not, and does not.
  stage.host.options.answer = () => acknowledgement;
  const before = stage.host.connectionCount;
  expect(statusOf(await client.exchange(post()))).toBe(200);
  expect(stage.host.connectionCount).toBe(before + 1);
});

it('answers 502 when nobody listens, and tries once', async () => {
  await using client = await stage.connect();
  await expectError(await client.exchange(post({ target: '/nobody' })), {
    status: 502,
    reason: 'connect_failed',
  });
  expect(statusOf(await client.exchange(post()))).toBe(200);
});

it('answers Expect: 100-continue before it knows whether anybody listens', async () => {
  await using client = await stage.connect();
  client.write('POST /nobody HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  expect(statusOf(await client.response())).toBe(100);
  const answer = await client.response();
  await expectError(answer, { status: 502, reason: 'connect_failed' });
  // Whether the body still comes cannot be known.
  expect(answer.field('connection')).toBe('close');
});

it.each([
  ['a new connection', 0],
  ['a warm connection', 1],
] as const)(
  'answers 502 when the host takes a message on %s and closes, and never sends it again',
  async (_what, warm) => {
    await using client = await stage.connect();
    for (let each = 0; each < warm; each++) await client.exchange(post());
    const index = stage.host.requests.length;
    for (const end of ['end', 'resetAndDestroy'] as const) {
      stage.host.options.answer = (_request, socket) => {
        socket[end]();
        return null;
      };
      await expectError(await client.exchange(post({ body: end })), { status: 502, reason: 'closed_early' });
    }
    stage.host.options.answer = () => acknowledgement;
    await client.exchange(post({ body: 'after' }));
    expect(stage.host.requests.slice(index).map(({ body }) => body.toString())).toEqual([
      'end',
      'resetAndDestroy',
      'after',
    ]);
  },
);

it('answers 504 at the deadline, and lets go of the host', async () => {
  const asked = new Promise<Socket>((resolve) => {
    stage.host.options.answer = (_request, socket) => {
      resolve(socket);
      return null;
    };
  });
  await using client = await stage.connect();
  const answer = await client.exchange(post({ target: '/quick' }));
  await expectError(answer, { status: 504, reason: 'deadline' });
  expect(answer.field('connection')).toBeUndefined();
  const socket = await asked;
  if (!socket.closed) await once(socket, 'close');
  stage.host.options.answer = () => response({ body: 'in time' });
  expect((await client.exchange(post({ target: '/quick' }))).body.toString()).toBe('in time');
});

it('answers 504 at the deadline while the body is still coming, and ends the connection', async () => {
  await using client = await stage.connect();
  client.write('POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
  const trickle = setInterval(() => client.write('x'), 20);
  const answer = await client.response().finally(() => clearInterval(trickle));
  await expectError(answer, { status: 504, reason: 'deadline' });
  expect(answer.field('connection')).toBe('close');
});

it('lets go of the host when the client goes away in the middle', async () => {
  const asked = new Promise<Socket>((resolve) => {
    stage.host.options.answer = (_request, socket) => {
      resolve(socket);
      return null;
    };
  });
  const index = stage.host.requests.length;
  const transport = connect({ port: stage.gateway.port, host: '127.0.0.1' });
  await using client = await stage.connect({ socket: transport });
  client.write(post({ target: '/gone' }));
  const socket = await asked;
  const closed = once(socket, 'close');
  transport.resetAndDestroy();
  await closed;
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'client_gone', status: null, path: '/gone', response_bytes: 0 });
});
