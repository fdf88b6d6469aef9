/** Clients that write slowly: accepted while they make progress, ended by timeouts, and never completed for the host. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    named: true,
    routes: [{ path: '/' }, { path: '/quick', deadline: '2s' }],
    config: { timeouts: { head: '5s', bodyIdle: '3s' }, limits: { body: '64MiB' } },
  });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
  delete stage.host.options.onHead;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Writes byte by byte, `milliseconds` apart, until all are written or the returned function is called. */
function trickle(client: Client, bytes: Buffer, milliseconds: number): () => void {
  let at = 0;
  const timer = setInterval(() => {
    client.write(bytes.subarray(at, ++at));
    if (at === bytes.length) clearInterval(timer);
  }, milliseconds);
  return () => clearInterval(timer);
}

/** Resolves with the host's socket once a head has arrived on it. */
function begun(): Promise<Socket> {
  return new Promise((resolve) => {
    stage.host.options.onHead = (_head, socket) => resolve(socket);
  });
}

/** Expects an error response of the gateway that ends the connection, and its record. */
async function expectTimedOut(
  client: Client,
  answer: Message,
  record: { status: number; outcome: string; reason: string },
): Promise<void> {
  expect(statusOf(answer)).toBe(record.status);
  expect(answer.field('connection')).toBe('close');
  expect(answer.raw.toString()).not.toMatch(/acknowledg/i);
  expect(await client.rest()).toHaveLength(0);
  expect(await messageOf(stage.gateway, answer)).toMatchObject(record);
}

/** Expects that the connection to the host ended and the host never received a complete message. */
async function expectAbandoned(socket: Socket, requests: number): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
  expect(stage.host.requests).toHaveLength(requests);
}

it('relays a message whose head arrives in pieces within timeouts.head', async () => {
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  const bytes = post({ target: '/slow/head' });
  for (const part of [bytes.subarray(0, 3), bytes.subarray(3, 40)]) {
    await new Promise((written) => client.socket.write(part, written));
    // A round trip of another message: the piece was read alone.
    await stage.send(post({ target: '/other' }));
  }
  expect(statusOf(await client.exchange(bytes.subarray(40)))).toBe(200);
  const slow = stage.host.requests.slice(index).filter(({ startLine }) => startLine.includes('/slow/head'));
  expect(slow.map(({ body }) => body.toString())).toEqual(['{"a":1}']);
  const record = await messageOf(stage.gateway, slow[0] as Message);
  expect(record).toMatchObject({ outcome: 'answered', status: 200, request_bytes: 7 });
});

it('ends a head that is incomplete after timeouts.head, however slowly it arrives', async () => {
  const { connectionCount } = stage.host;
  await using client = await stage.connect();
  client.write('GET / HTTP/1.1\r\n');
  const stop = trickle(client, Buffer.alloc(1000, 'X'), 50);
  const answer = await client.response().finally(stop);
  await expectTimedOut(client, answer, { status: 408, outcome: 'denied', reason: 'head_timeout' });
  expect(stage.host.connectionCount).toBe(connectionCount);
});

it('applies no timeout to a body that keeps arriving', async () => {
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n');
  trickle(client, Buffer.from('twelve bytes'), 300);
  expect(statusOf(await client.response())).toBe(200);
  const request = await stage.host.request(index);
  expect(request.body.toString()).toBe('twelve bytes');
  const record = await messageOf(stage.gateway, request);
  expect(record).toMatchObject({ outcome: 'answered', status: 200, request_bytes: 12 });
  // Longer than timeouts.bodyIdle.
  expect(record.total_ms).toBeGreaterThan(3000);
});

it.each([
  ['Content-Length: 10\r\n\r\n', 'hell'],
  ['Transfer-Encoding: chunked\r\n\r\n', '5\r\nhell'],
])('ends a message whose body stops for timeouts.bodyIdle (%j)', async (framing, beginning) => {
  const requests = stage.host.requests.length;
  const host = begun();
  await using client = await stage.connect();
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}${beginning}`);
  const answer = await client.response();
  const reason = 'body_timeout';
  await expectTimedOut(client, answer, { status: 408, outcome: 'denied', reason });
  expect((await messageOf(stage.gateway, answer)).request_bytes).toBe(4);
  await expectAbandoned(await host, requests);
});

it('ends a slow body at the deadline of its route, and records a failure of the client', async () => {
  const requests = stage.host.requests.length;
  const host = begun();
  await using client = await stage.connect();
  client.write('POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
  const stop = trickle(client, Buffer.alloc(1000, 'x'), 30);
  const answer = await client.response().finally(stop);
  await expectTimedOut(client, answer, { status: 408, outcome: 'denied', reason: 'body_timeout' });
  await expectAbandoned(await host, requests);
});

it('records a failure of the client for a body that is incomplete at the deadline, before timeouts.bodyIdle', async () => {
  const requests = stage.host.requests.length;
  const host = begun();
  await using client = await stage.connect();
  client.write('POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhell');
  const answer = await client.response();
  await expectTimedOut(client, answer, { status: 408, outcome: 'denied', reason: 'body_timeout' });
  expect((await messageOf(stage.gateway, answer)).request_bytes).toBe(4);
  await expectAbandoned(await host, requests);
});

it('records a failure of the client that sends Expect: 100-continue and then no body', async () => {
  const host = begun();
  await using client = await stage.connect();
  client.write('POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n');
  expect(statusOf(await client.response())).toBe(100);
  const answer = await client.response();
  await expectTimedOut(client, answer, { status: 408, outcome: 'denied', reason: 'body_timeout' });
  await host;
});

it('records a failure of the host at the deadline when the request was complete or the host did not read the body', async () => {
  stage.host.options.answer = () => null;
  await using client = await stage.connect();
  const answer = await client.exchange(post({ target: '/quick' }));
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ status: 504, reason: 'deadline' });

  // More than the kernel holds between the gateway and a host that does not read.
  stage.host.options.onHead = (_head, socket) => socket.pause();
  const size = 64 * 1024 * 1024;
  await using other = await stage.connect();
  other.write(`POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  other.write(Buffer.alloc(size - 1, 'x'));
  const refused = await other.response();
  expect(await messageOf(stage.gateway, refused)).toMatchObject({ status: 504, reason: 'deadline' });
});

// Messages that the host delayed count as late and as failures of the host, those that clients delayed do not.
afterAll(async () => {
  const late = 'ehi_messages_late_total{route="/quick"}';
  const failed = `ehi_upstream_message_failures_total{endpoint="${stage.host.url}",reason="deadline"}`;
  const codes = (code: number) => `ehi_messages_total{route="/quick",code="${code}"}`;
  const expected = [3, 2];
  const samples = await metricsWhen(stage.gateway, (found) =>
    [408, 504].every((code, index) => (found.get(codes(code)) ?? 0) >= (expected[index] ?? 0)),
  );
  expect([samples.get(codes(408)), samples.get(codes(504))]).toEqual(expected);
  expect([samples.get(late), samples.get(failed)]).toEqual([2, 2]);
  expect(samples.get('ehi_upstream_seconds_count{route="/quick"}')).toBe(2);
});
