/** The client connection after a message on it is refused by an in-flight limit: it stays open where possible. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { handshakeFrom, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
let occupant: Client;

/** Fills the in-flight limit of `/`; `/free` still accepts messages. */
beforeAll(async () => {
  stage = await openStage({
    routes: [{ path: '/', inFlight: 1, deadline: '10m' }, { path: '/free' }],
    config: { timeouts: { bodyIdle: '10m' } },
  });
  occupant = await new HeldAnswers(stage).occupant();
  delete stage.host.options.answer;
});

afterAll(async () => {
  await occupant[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

async function expectShed(answer: Message, { close }: { close: boolean }): Promise<void> {
  expect(statusOf(answer)).toBe(503);
  expect(answer.field('retry-after')).toBe('1');
  expect(answer.field('connection')).toBe(close ? 'close' : undefined);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ reason: 'route_in_flight' });
}

const free = post({ target: '/free' });
const head = (fields: string, start = 'POST / HTTP/1.1') => `${start}\r\nHost: a\r\n${fields}\r\n\r\n`;
const chunked = head('Transfer-Encoding: chunked');

describe('keeps the connection open after a refused message', () => {
  it.each([
    ['that is complete', post()],
    ['without a body', head('Accept: */*', 'GET / HTTP/1.1')],
    ['with a body of 64 KiB', post({ body: Buffer.alloc(64 * 1024, 'x') })],
    ['with a chunked body', `${chunked}3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n`],
    [
      'with Expect: 100-continue whose body did not wait',
      `${head('Content-Length: 2\r\nExpect: 100-continue')}hi`,
    ],
  ])('%s', async (_what, request) => {
    await using client = await stage.connect();
    await expectShed(await client.exchange(request), { close: false });
    expect(statusOf(await client.exchange(free))).toBe(200);
  });

  it('that is a HEAD request, whose response has no body', async () => {
    await using client = await stage.connect();
    const answer = await client.exchange(head('Accept: */*', 'HEAD / HTTP/1.1'), { bodiless: true });
    await expectShed(answer, { close: false });
    expect(statusOf(await client.exchange(free))).toBe(200);
  });

  it.each([
    [head('Content-Length: 4'), 'ab', 'cd'],
    [chunked, '4\r\nab', 'cd\r\n0\r\n\r\n'],
  ])('whose body arrives later: %j', async (...pieces) => {
    await using client = await stage.connect();
    const refusal = stage.gateway.next(({ reason }) => reason === 'route_in_flight');
    client.write(pieces[0]);
    await refusal;
    client.write(pieces[1]).write(pieces[2]);
    await expectShed(await client.response(), { close: false });
    expect(statusOf(await client.exchange(free))).toBe(200);
  });

  it('and answers pipelined requests in order', async () => {
    await using client = await stage.connect();
    const requests = [post(), free, post(), post(), free, free, post()];
    client.write(Buffer.concat(requests));
    for (const request of requests) {
      const answer = await client.response();
      if (request === free) expect(statusOf(answer)).toBe(200);
      else await expectShed(answer, { close: false });
    }
    client.halfClose();
    expect(await client.rest()).toHaveLength(0);
  });
});

describe('closes the connection after a refused message', () => {
  it.each([
    ['with Connection: close', head('Connection: close\r\nContent-Length: 0')],
    ['on HTTP/1.0', head('Content-Length: 0', 'POST / HTTP/1.0')],
    ['whose body waits for 100', head('Content-Length: 2\r\nExpect: 100-continue')],
    ['with a body over 64 KiB', post({ body: Buffer.alloc(64 * 1024 + 1, 'x') })],
    ['with a malformed body', `${chunked}x\r\n`],
  ])('%s', async (_when, request) => {
    await using client = await stage.connect();
    await expectShed(await client.exchange(request), { close: true });
    expect(await client.rest()).toHaveLength(0);
    expect(client.error).toBeUndefined();
  });

  it('when the client does not read its responses', async () => {
    await using client = await stage.connect();
    const count = 3000;
    const { conn_id } = await handshakeFrom(stage.gateway, client.socket);
    client.socket.pause();
    client.write(Buffer.concat(Array.from({ length: count }, () => post({ body: '' }))));
    client.socket.resume();
    const answers: Message[] = [];
    do answers.push(await client.response());
    while (answers.at(-1)?.field('connection') !== 'close');
    expect(answers.length).toBeLessThan(count);
    expect(answers.every((answer) => statusOf(answer) === 503)).toBe(true);
    await messageOf(stage.gateway, answers.at(-1) as Message);
    expect(
      stage.gateway.records().filter((record) => record.type === 'message' && record.conn_id === conn_id),
    ).toHaveLength(answers.length);
  });
});

it('closes the connection when the body of a refused message is incomplete after timeouts.bodyIdle, however slowly it arrives', async () => {
  await using stalling = await openStage({
    routes: [{ path: '/', inFlight: 1, deadline: '10m' }],
    config: { timeouts: { bodyIdle: '200ms' } },
  });
  await using _occupant = await new HeldAnswers(stalling).occupant();
  await using client = await stalling.connect();
  client.write(head('Content-Length: 60000'));
  const trickle = setInterval(() => client.write('x'), 20);
  const answer = await client.response();
  clearInterval(trickle);
  expect([statusOf(answer), answer.field('connection')]).toEqual([503, 'close']);
});

it('closes the connection with the response when the gateway drains', async () => {
  await using draining = await openStage({ routes: [{ path: '/', inFlight: 1, deadline: '10m' }] });
  await using _occupant = await new HeldAnswers(draining).occupant();
  await using client = await draining.connect();
  await using idle = await draining.connect();
  const refusal = draining.gateway.next(({ reason }) => reason === 'route_in_flight');
  client.write(head('Content-Length: 4'));
  await refusal;
  draining.gateway.signal('SIGTERM');
  expect(await idle.rest()).toHaveLength(0);
  const answer = await client.exchange('abcd');
  expect([statusOf(answer), answer.field('connection')]).toEqual([503, 'close']);
  expect(await client.rest()).toHaveLength(0);
});

// No refused message has reached the host.
afterAll(() => {
  expect(stage.host.requests.filter(({ startLine }) => startLine !== 'POST /free HTTP/1.1')).toHaveLength(1);
});
