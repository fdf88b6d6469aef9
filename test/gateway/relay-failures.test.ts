/** Hosts that fail before they answer: the client gets an error that is no acknowledgement, and no message is sent twice. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { endpointsWhen } from '../support/process/endpoints.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { acknowledgement, response } from '../support/process/host.ts';
import { deadPort } from '../support/process/listening.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    routes: [
      { path: '/' },
      { path: '/quick', deadline: '2s' },
      { path: '/unused', upstream: `http://127.0.0.1:${await deadPort()}` },
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

/** Expects an error response of the gateway: short JSON with the request id, and nothing that could be an acknowledgement. */
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

/** Resolves once /upstreams shows this last failure of the host. */
async function expectLastFailure(last: { readonly reason: string; readonly cause: string }): Promise<void> {
  await endpointsWhen(stage.gateway, (found) => {
    const failure = found.find(({ url }) => url === stage.host.url)?.last_message_failure;
    return failure?.reason === last.reason && failure.cause === last.cause;
  });
}

it.each<[what: string, reason: string, cause: string, bytes: string]>([
  ['not HTTP', 'bad_answer', 'status_line', 'hello\r\n\r\n'],
  ['HTTP/2', 'bad_answer', 'status_line', 'HTTP/2 200 OK\r\n\r\n'],
  ['a status of two digits', 'bad_answer', 'status_line', 'HTTP/1.1 99 OK\r\n\r\n'],
  ['an upgrade', 'bad_answer', 'status 101', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'],
  ['bare LF', 'bad_answer', 'line_end', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['NUL in a field', 'bad_answer', 'line_end', 'HTTP/1.1 200 OK\r\nX: \0\r\n\r\n'],
  ['a folded field', 'bad_answer', 'line_folding', 'HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n'],
  ['a space before the colon', 'bad_answer', 'field_name', 'HTTP/1.1 200 OK\r\nX : 1\r\n\r\n'],
  [
    'both framings',
    'host_framing',
    'transfer_encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'two lengths',
    'host_framing',
    'content_length',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  ],
  [
    'a length that is not a number',
    'host_framing',
    'content_length',
    'HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n',
  ],
  [
    'a transfer coding that was not requested',
    'host_framing',
    'transfer_coding',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
  ],
  [
    'a malformed chunk size, with the head',
    'host_framing',
    'chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
  ],
  [
    'a malformed trailer',
    'host_framing',
    'trailer',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n',
  ],
  ['a head without end', 'host_head_too_large', 'head_length', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20_000)}`],
  [
    'fields without end',
    'host_head_too_large',
    'field_count',
    `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(101)}\r\n`,
  ],
])(
  'answers 502 when the response of the host is %s, and /upstreams shows the cause',
  async (_what, reason, cause, bytes) => {
    stage.host.options.answer = () => Buffer.from(bytes, 'latin1');
    await using client = await stage.connect();
    await expectError(await client.exchange(post()), { status: 502, reason });
    await expectLastFailure({ reason, cause });
    // The connection of the client stays open; the connection to the host is closed.
    stage.host.options.answer = () => acknowledgement;
    const before = stage.host.connectionCount;
    expect(statusOf(await client.exchange(post()))).toBe(200);
    expect(stage.host.connectionCount).toBe(before + 1);
  },
);

// Malformed responses are collapsed when reason and cause are the same, and counted by reason.
afterAll(async () => {
  const failing = (line: AuditRecord) =>
    `${line.msg}`.startsWith('an upstream endpoint fails') && line.endpoint === stage.host.url;
  for (const reason of ['bad_answer', 'host_framing', 'host_head_too_large']) {
    const line = await stage.gateway.logged((each) => failing(each) && each.reason === reason);
    expect(line).toMatchObject({ cause: expect.stringMatching(/^[a-z0-9_ ]+$/) });
  }
  const failures = 16;
  expect(stage.gateway.log().filter(failing).length).toBeLessThan(failures);
  const series = (reason: string) =>
    `ehi_upstream_message_failures_total{endpoint="${stage.host.url}",reason="${reason}"}`;
  await metricsWhen(
    stage.gateway,
    (samples) =>
      samples.get(series('host_framing')) === 6 && samples.get(series('host_head_too_large')) === 2,
  );
});

it('answers 502 when no process listens on the port of the host, after one attempt', async () => {
  await using client = await stage.connect();
  await expectError(await client.exchange(post({ target: '/unused' })), {
    status: 502,
    reason: 'connect_failed',
  });
  expect(statusOf(await client.exchange(post()))).toBe(200);
});

it('answers Expect: 100-continue before it connects to the host', async () => {
  await using client = await stage.connect();
  client.write('POST /unused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  expect(statusOf(await client.response())).toBe(100);
  const answer = await client.response();
  await expectError(answer, { status: 502, reason: 'connect_failed' });
  // The gateway cannot know whether the body still arrives.
  expect(answer.field('connection')).toBe('close');
});

it.each([
  ['a new connection', 0],
  ['a warm connection', 1],
] as const)(
  'answers 502 when the host receives a message on %s and closes, and does not send it again',
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

it('answers 504 at the deadline, and closes the connection to the host', async () => {
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

it('closes the connection to the host when the client closes before the response', async () => {
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
