/** `100 Continue` from the host: the gateway has sent its own already, so it does not relay this one. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement, response } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({});
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
  delete stage.host.options.onHead;
});

afterAll(() => stage[Symbol.asyncDispose]());

const go = 'HTTP/1.1 100 Continue\r\n\r\n';
const waiting =
  'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

/** Writes byte by byte, each byte sent before the next. */
async function trickle(socket: Socket, text: string): Promise<void> {
  for (const byte of text) await new Promise((written) => socket.write(byte, written));
}

/** Everything that the client receives, up to the end of its connection. */
async function whole(client: Client): Promise<string> {
  const bytes = (await client.rest()).toString();
  expect(client.error).toBeUndefined();
  return bytes;
}

async function expectAnswered(request: Message): Promise<void> {
  const record = await messageOf(stage.gateway, request);
  expect(record).toMatchObject({ outcome: 'answered', status: 200, reason: null, response_bytes: 2 });
}

const ok = response({ fields: [], body: 'ok' });
const okClosing = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

it.each([
  ['to the head', go],
  ['twice', go + go],
  ['with fields', 'HTTP/1.1 100 Continue\r\nX-Hint: 1\r\n\r\n'],
  ['without a phrase, on HTTP/1.0', 'HTTP/1.0 100 \r\n\r\n'],
])('sends one 100 to a client that waits for it, when the host also sends 100 %s', async (_, said) => {
  const got = new Promise<Socket>((resolve) => {
    stage.host.options.onHead = (_head, socket) => void socket.write(said, () => resolve(socket));
  });
  stage.host.options.answer = () => ok;
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(waiting);
  await got;
  client.write('hello');
  expect(await whole(client)).toBe(go + okClosing);
  const request = await stage.host.request(index);
  expect(request.body.toString()).toBe('hello');
  expect(request.field('expect')).toBeUndefined();
  await expectAnswered(request);
});

it.each([1, 0])('drops a 100 of the host when a client on HTTP/1.%i did not ask for it', async (minor) => {
  for (const slowly of [false, true]) {
    stage.host.options.answer = (_request, socket) => {
      if (!slowly) return go + ok;
      void trickle(socket, go + go + ok);
      return null;
    };
    const index = stage.host.requests.length;
    await using client = await stage.connect();
    client.write(`POST / HTTP/1.${minor}\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi`);
    expect(await whole(client)).toBe(okClosing);
    await expectAnswered(await stage.host.request(index));
  }
});

it('reuses the connection to the host after a 100', async () => {
  stage.host.options.answer = () => go + ok;
  await using client = await stage.connect();
  await client.exchange(post());
  const before = stage.host.connectionCount;
  const index = stage.host.requests.length;
  expect((await client.exchange(post())).raw.equals(ok)).toBe(true);
  expect(stage.host.connectionCount).toBe(before);
  await expectAnswered(await stage.host.request(index));
});

it('closes the connection to the host when a 100 arrives after the response, and assigns it to no other message', async () => {
  stage.host.options.answer = () => ok + go;
  await using client = await stage.connect();
  const before = stage.host.connectionCount;
  const index = stage.host.requests.length;
  for (let message = 0; message < 3; message++) {
    expect((await client.exchange(post())).raw.equals(ok)).toBe(true);
    await expectAnswered(await stage.host.request(index + message));
  }
  expect(stage.host.connectionCount - before).toBeGreaterThanOrEqual(2);
});

const withLength = 'HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\n';

it.each([
  ['sends 100 and closes', 'closed_early', (socket: Socket) => socket.end(go)],
  [
    'sends 100 and resets',
    'closed_early',
    (socket: Socket) => socket.write(go, () => socket.resetAndDestroy()),
  ],
  [
    'sends 100 and bytes that are not HTTP',
    'bad_answer',
    (socket: Socket) => socket.write(`${go}hello\r\n\r\n`),
  ],
  ['sends 100 with a Content-Length', 'host_framing', (socket: Socket) => socket.write(withLength + ok)],
])('answers 502 when the host %s', async (_what, reason, act) => {
  stage.host.options.answer = (_request, socket) => {
    act(socket);
    return null;
  };
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  const answer = await client.exchange(post());
  expect(statusOf(answer)).toBe(502);
  expect(answer.raw.toString()).not.toMatch(/acknowledg/i);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', status: 502, reason });
  expect(stage.host.requests).toHaveLength(index + 1);
});

it('answers 413 to a body over the limit, also after a 100 of the host', async () => {
  const got = new Promise<void>((resolve) => {
    stage.host.options.onHead = (_head, socket) => void socket.write(go, () => resolve());
  });
  await using client = await stage.connect();
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n');
  await got;
  expect((await client.response()).raw.toString()).toBe(go);
  const index = stage.host.requests.length;
  const answer = await client.exchange('fffffff\r\n');
  expect(statusOf(answer)).toBe(413);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'denied', reason: 'body_length' });
  expect(stage.host.requests).toHaveLength(index);
});
