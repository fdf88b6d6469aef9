/** Pipelined messages: one exchange at a time, and responses in order. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Message } from '../support/http/http.ts';
import { bodies, echo, numbered, posts } from '../support/numbered.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, type Host, openHost, response } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ named: true });
});

beforeEach(() => {
  stage.host.options.answer = echo;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Waits for round trips on another connection, so that pending work in the gateway has taken effect. */
async function letPass(roundTrips: number): Promise<void> {
  await using other = await stage.connect();
  for (let trip = 0; trip < roundTrips; trip++)
    await other.exchange(post({ target: '/other', body: 'other' }));
}

/** Excludes the messages of `letPass`. */
const isOne = ({ startLine }: Message) => !startLine.includes('/other');

/** Expects that host and audit have each message once and in order, all from one client connection. */
async function expectDelivered(delivered: readonly Message[], count: number): Promise<void> {
  expect(delivered.map(({ body }) => body.toString())).toEqual(numbered(count));
  const records = await Promise.all(delivered.map((request) => messageOf(stage.gateway, request)));
  const [id] = records.map(({ conn_id }) => conn_id);
  const answered = { outcome: 'answered', status: 200, reason: null };
  expect(records).toMatchObject(
    delivered.map((_, index) => ({ ...answered, conn_id: id, request_id: `${id}.${index + 1}` })),
  );
}

/** A host over TLS, which echoes. */
async function openSecured(): Promise<AsyncDisposable & { readonly host: Host; readonly stage: Stage }> {
  const pki = authority({ name: 'Host' });
  const { chainPem, keyPem } = pki.issueServer();
  await using opened = new AsyncDisposableStack();
  const host = opened.use(await openHost({ answer: echo }, { tls: { cert: chainPem, key: keyPem } }));
  const secured = opened.use(
    await openStage({
      named: true,
      files: { 'host-ca.pem': pki.root.pem },
      routes: [{ path: '/', upstream: { url: host.url, tls: { ca: 'host-ca.pem' } } }],
    }),
  );
  const stack = opened.move();
  return { host, stage: secured, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('relays a pipelined message only after the response to the message before it', async () => {
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
    // `letPass` sends the host two messages too.
    await stage.host.request(first + index * 3);
    await letPass(2);
    expect(asked.map((each) => each.body)).toEqual(numbered(index + 1));
    asked[index]?.socket.write(response({ body }));
    expect((await client.response()).body.toString()).toBe(body);
  }
  await expectDelivered(stage.host.requests.slice(first).filter(isOne), 3);
});

it('answers 100 messages that arrive at once, in order', async () => {
  const first = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(posts(100));
  expect(await bodies(client, 100)).toEqual(numbered(100));
  await expectDelivered(stage.host.requests.slice(first), 100);
});

it('answers pipelined messages that arrive byte by byte or split anywhere', async () => {
  for (const [count, size] of [
    [3, 1],
    [20, 97],
  ] as const) {
    const first = stage.host.requests.length;
    await using client = await stage.connect();
    const bytes = posts(count);
    for (let at = 0; at < bytes.length; at += size) client.write(bytes.subarray(at, at + size));
    expect(await bodies(client, count)).toEqual(numbered(count));
    await expectDelivered(stage.host.requests.slice(first), count);
  }
});

it('begins no further message while the client does not read its responses', async () => {
  const filler = Buffer.alloc(512 * 1024, 'x');
  let asked = 0;
  stage.host.options.answer = ({ body }) => {
    if (body.toString() === 'other') return acknowledgement;
    asked++;
    return response({ body: Buffer.concat([body, filler]) });
  };
  const first = stage.host.requests.length;
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
  await expectDelivered(stage.host.requests.slice(first).filter(isOne), 100);
});

it('uses one TLS connection to the host for messages that arrive at once', async () => {
  await using scene = await openSecured();
  await using client = await scene.stage.connect();
  client.write(posts(60));
  expect(await bodies(client, 60)).toEqual(numbered(60));
  expect(scene.host.requests).toHaveLength(60);
  expect(scene.host.connectionCount).toBe(1);
});

it('does not treat bytes that the host sends after a response as the response to the next message', async () => {
  await using scene = await openSecured();
  const { host, stage: secured } = scene;
  // Each fills TLS records of its own, and one read gets all of them.
  const full = (name: string) => {
    const { length } = response({ body: Buffer.alloc(16_000) });
    return response({ body: Buffer.alloc(16_384 - length + 16_000, name) });
  };
  host.options.answer = ({ body }) =>
    body.toString() === numbered(2)[0] ? Buffer.concat([full('a'), full('x')]) : full('b');
  await using client = await secured.connect();
  client.write(posts(2));
  for (const [index, expected] of ['a', 'b'].entries()) {
    expect((await client.response()).body.toString('latin1', 0, 1)).toBe(expected);
    expect(await messageOf(secured.gateway, await host.request(index))).toMatchObject({
      outcome: 'answered',
    });
  }
  expect(host.requests.map(({ body }) => body.toString())).toEqual(numbered(2));
  expect(host.connectionCount).toBe(2);
});
