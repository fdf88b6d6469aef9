/** A side that half-closes its connection: pending responses still arrive, and no message is completed for it. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { bodies, echo, numbered, posts } from '../support/numbered.ts';
import { post } from '../support/process/client.ts';
import { handshakeFrom, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ named: true });
});

beforeEach(() => {
  stage.host.options.answer = echo;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Expects that the host received `count` messages from index `first` on, each recorded as answered, and no aborted one. */
async function expectAnswered(first: number, count: number): Promise<void> {
  const requests = stage.host.requests.slice(first);
  expect(requests).toHaveLength(count);
  for (const request of requests) {
    const record = await messageOf(stage.gateway, request);
    expect(record).toMatchObject({ outcome: 'answered', status: 200, reason: null });
  }
}

it('closes a connection that the client half-closes between messages', async () => {
  await using client = await stage.connect();
  const first = stage.host.requests.length;
  await client.exchange(post());
  client.halfClose();
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
  await expectAnswered(first, 1);
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
  await expectAnswered(first, count);
});

it('aborts a message when the client half-closes within its body, and does not complete it for the host', async () => {
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

it('closes a connection that the client half-closes before its first request, and records no message', async () => {
  const before = stage.host.connectionCount;
  await using client = await stage.connect();
  const { conn_id, verdict } = await handshakeFrom(stage.gateway, client.socket);
  client.halfClose();
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
  expect(verdict).toBe('allow');
  // A message on another connection: any record of the first connection is written before its record.
  const first = stage.host.requests.length;
  await stage.send(post());
  await expectAnswered(first, 1);
  expect(
    stage.gateway.records().filter((record) => record.type === 'message' && record.conn_id === conn_id),
  ).toEqual([]);
  expect(stage.host.connectionCount - before).toBeLessThanOrEqual(1);
});

it('answers 502 when the host half-closes instead of answering, and does not send the message again', async () => {
  stage.host.options.answer = (_request, socket) => {
    socket.end();
    return null;
  };
  const first = stage.host.requests.length;
  await using client = await stage.connect();
  const answer = await client.exchange(post());
  expect(statusOf(answer)).toBe(502);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', reason: 'closed_early' });
  expect(stage.host.requests).toHaveLength(first + 1);
});

it('relays the response of a host that half-closes after it, and keeps the client connection open', async () => {
  const connections = stage.host.connectionCount;
  stage.host.options.answer = (request, socket) => {
    socket.end(echo(request));
    return null;
  };
  const first = stage.host.requests.length;
  await using client = await stage.connect();
  for (const body of numbered(3)) {
    expect((await client.exchange(post({ body }))).body.toString()).toBe(body);
  }
  await expectAnswered(first, 3);
  // The first message may have used a connection that was open before.
  expect(stage.host.connectionCount - connections).toBeGreaterThanOrEqual(2);
});
