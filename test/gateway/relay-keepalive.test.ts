/** Many messages on one connection: one exchange at a time, answers in order, and the end of it. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Client, post } from '../support/client.ts';
import { acknowledgement, response } from '../support/host.ts';
import { type Message, statusOf } from '../support/http.ts';
import { messageOf } from '../support/records.ts';
import { openStage, type Stage } from '../support/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

beforeEach(() => {
  stage.host.options.answer = echo;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Answers with the request's own body, so that answers can be told apart. */
function echo(request: Message): Buffer {
  return response({ body: request.body });
}

function posts(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => post({ body: `message ${index}` })));
}

async function bodies(client: Client, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push((await client.response()).body.toString());
  return read;
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `message ${index}`);

/** Long enough for anything that was under way in the gateway to show: messages there and back on another connection. */
async function letPass(roundTrips: number): Promise<void> {
  await using other = await stage.connect();
  for (let trip = 0; trip < roundTrips; trip++)
    await other.exchange(post({ target: '/other', body: 'other' }));
}

it('carries message after message on one connection, over one connection to the host', async () => {
  await using client = await stage.connect();
  const before = stage.host.connectionCount;
  for (const body of numbered(5)) {
    expect((await client.exchange(post({ body }))).body.toString()).toBe(body);
  }
  expect(stage.host.connectionCount - before).toBeLessThanOrEqual(1);
  const ids = stage.host.requests.slice(-5).map((request) => request.field('x-request-id')?.split('.'));
  expect(ids.map((id) => id?.[1])).toEqual(['1', '2', '3', '4', '5']);
  expect(new Set(ids.map((id) => id?.[0])).size).toBe(1);
});

it('sends a pipelined message on only when the one before it is answered', async () => {
  const asked: { body: string; socket: Socket }[] = [];
  stage.host.options.answer = (request, socket) => {
    const body = request.body.toString();
    if (body === 'other') return acknowledgement;
    asked.push({ body, socket });
    return null;
  };
  const first = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(posts(3));
  for (const [index, body] of numbered(3).entries()) {
    // `letPass` asks the host too, twice.
    await stage.host.request(first + index * 3);
    await letPass(2);
    expect(asked.map((each) => each.body)).toEqual(numbered(index + 1));
    asked[index]?.socket.write(response({ body }));
    expect((await client.response()).body.toString()).toBe(body);
  }
});

it('answers 100 messages that come at once, in their order', async () => {
  await using client = await stage.connect();
  client.write(posts(100));
  expect(await bodies(client, 100)).toEqual(numbered(100));
});

it('answers pipelined messages that come byte by byte, and cut anywhere', async () => {
  await using client = await stage.connect();
  for (const byte of posts(3)) client.write(Buffer.of(byte));
  expect(await bodies(client, 3)).toEqual(numbered(3));
  const bytes = posts(20);
  for (let at = 0; at < bytes.length; at += 97) client.write(bytes.subarray(at, at + 97));
  expect(await bodies(client, 20)).toEqual(numbered(20));
});

it('takes up no further message while the client does not read the answers', async () => {
  const filler = Buffer.alloc(512 * 1024, 'x');
  let asked = 0;
  stage.host.options.answer = ({ body }) => {
    if (body.toString() === 'other') return acknowledgement;
    asked++;
    return response({ body: Buffer.concat([body, filler]) });
  };
  await using client = await stage.connect();
  client.socket.pause();
  client.write(posts(100));
  await letPass(200);
  const taken = asked;
  expect(taken).toBeLessThan(50);
  await letPass(50);
  expect(asked).toBe(taken);

  client.socket.resume();
  for (const body of numbered(100)) {
    const answer = await client.response();
    expect(answer.body.toString('latin1', 0, body.length)).toBe(body);
    expect(answer.body.length).toBe(body.length + filler.length);
  }
});

it('closes a connection that the client half-closes between messages', async () => {
  await using client = await stage.connect();
  await client.exchange(post());
  client.halfClose();
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

it.each([1, 3])('answers all of %i messages after which the client half-closed', async (count) => {
  const answers: (() => void)[] = [];
  stage.host.options.answer = (request, socket) => {
    answers.push(() => socket.write(echo(request)));
    return null;
  };
  await using client = await stage.connect();
  const first = stage.host.requests.length;
  client.write(posts(count)).halfClose();
  for (let index = 0; index < count; index++) {
    await stage.host.request(first + index);
    answers[index]?.();
  }
  expect(await bodies(client, count)).toEqual(numbered(count));
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
});

it('gives up a message in whose body the client half-closed, and never completes it for the host', async () => {
  await using client = await stage.connect();
  const connected = new Promise<Socket>((resolve) => {
    stage.host.options.onHead = (_head, socket) => resolve(socket);
  });
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
  const socket = await connected;
  delete stage.host.options.onHead;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const before = stage.host.requests.length;
  client.halfClose();
  expect((await client.rest()).toString()).toBe('');
  await closed;
  expect(stage.host.requests.length).toBe(before);
  const record = await stage.gateway.audit(({ outcome }) => outcome === 'client_gone');
  expect(record).toMatchObject({ status: null, request_bytes: 5 });
});

it('ends the connection after the answer when the client asks for that, whatever else is pipelined', async () => {
  await using client = await stage.connect();
  const before = stage.host.requests.length;
  const answer = await client.exchange(Buffer.concat([post({ fields: ['Connection: close'] }), posts(2)]));
  expect(statusOf(answer)).toBe(200);
  expect(answer.field('connection')).toBe('close');
  expect(await client.rest()).toHaveLength(0);
  expect(stage.host.requests.length).toBe(before + 1);
  expect(await messageOf(stage.gateway, await stage.host.request(before))).toMatchObject({
    outcome: 'answered',
  });
});
