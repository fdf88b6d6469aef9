/** Clients that write an extra empty line after a body or before the first request (RFC 9112 §2.2). */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ config: { timeouts: { head: '3s', keepAlive: '3s' } } });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(() => stage[Symbol.asyncDispose]());

const extra = (body: string) => Buffer.concat([post({ body }), Buffer.from('\r\n')]);

/** Expects one response and one record for each request, and no others. */
async function expectAnswered(client: Client, bodies: readonly string[]): Promise<void> {
  const requests = stage.host.requests.slice(-bodies.length);
  expect(requests.map(({ body }) => body.toString())).toEqual(bodies);
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
  for (const request of requests) await messageOf(stage.gateway, request);
  const id = requests[0]?.field('x-request-id')?.split('.')[0];
  const records = stage.gateway.records().filter(({ type, conn_id }) => type === 'message' && conn_id === id);
  expect(records.map(({ outcome, reason }) => [outcome, reason])).toEqual(
    bodies.map(() => ['answered', null]),
  );
}

it('keeps the connection open after a body and an empty line until timeouts.keepAlive, and closes it without a response', async () => {
  await using client = await stage.connect();
  expect(statusOf(await client.exchange(extra('1')))).toBe(200);
  await expectAnswered(client, ['1']);
});

it('answers successive messages that each have an empty line after them', async () => {
  await using client = await stage.connect();
  for (const body of ['1', '2', '3']) expect(statusOf(await client.exchange(extra(body)))).toBe(200);
  client.halfClose();
  await expectAnswered(client, ['1', '2', '3']);
});

it('answers messages that are pipelined with an empty line before and between them', async () => {
  await using client = await stage.connect();
  client.write(Buffer.concat([Buffer.from('\r\n'), extra('1'), extra('2')]));
  for (let each = 0; each < 2; each++) expect(statusOf(await client.response())).toBe(200);
  client.halfClose();
  await expectAnswered(client, ['1', '2']);
});

it('answers a message when an empty line and a half-close follow it together', async () => {
  await using client = await stage.connect();
  client.write(extra('1')).halfClose();
  expect(statusOf(await client.response())).toBe(200);
  await expectAnswered(client, ['1']);
});

it('accepts an empty line in two pieces', async () => {
  await using client = await stage.connect();
  for (const piece of ['\r', '\n']) {
    await new Promise((written) => client.socket.write(piece, written));
    // A round trip of another message: the piece was read alone.
    await stage.send(post({ body: 'other' }));
  }
  expect(statusOf(await client.exchange(post({ body: '1' })))).toBe(200);
  client.halfClose();
  await expectAnswered(client, ['1']);
});

it('applies timeouts.head to a head that begins with an empty line', async () => {
  await using client = await stage.connect();
  const answer = await client.exchange('\r\nGET');
  expect(statusOf(answer)).toBe(408);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'denied', reason: 'head_timeout' });
});

it('refuses a second empty line', async () => {
  await using client = await stage.connect();
  const answer = await client.exchange(Buffer.concat([Buffer.from('\r\n\r\n'), post()]));
  expect(statusOf(answer)).toBe(400);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'denied', reason: 'request_line' });
});
