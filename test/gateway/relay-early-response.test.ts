/** Responses that arrive before the request is complete. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { response } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
});

afterEach(() => stage[Symbol.asyncDispose]());

it('relays a response that arrives before the end of the request, and closes the connection after it', async () => {
  const before = stage.host.connectionCount;
  const early = new Promise<Socket>((resolve) => {
    stage.host.options.onHead = (_head, socket) => {
      socket.write(response({ status: '413 Content Too Large', body: 'enough' }));
      resolve(socket);
    };
  });
  await using client = await stage.connect();
  client.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nthe beginning');
  const answer = await client.response();
  delete stage.host.options.onHead;
  expect(statusOf(answer)).toBe(413);
  expect(answer.field('connection')).toBe('close');
  expect(answer.body.toString()).toBe('enough');
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
  // The connection to the host is in the middle of a request: it is closed too, and not reused.
  const socket = await early;
  if (!socket.closed) await once(socket, 'close');
  const record = await stage.gateway.audit(({ path }) => path === '/early');
  expect(record).toMatchObject({ outcome: 'answered', status: 413, request_bytes: 13, response_bytes: 6 });
  expect(stage.host.connectionCount).toBe(before + 1);
  expect(stage.host.received(before).toString()).toMatch(/\r\n\r\nthe beginning$/);
  expect(stage.host.requests).toEqual([]);
});

it('relays the request while an early response is incomplete', async () => {
  stage.host.options.onHead = (_head, socket) =>
    void socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsta`);
  stage.host.options.answer = () => 'red';
  await using client = await stage.connect();
  const index = stage.host.requests.length;
  const begun = once(client.socket, 'data');
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst');
  await begun;
  expect(stage.host.requests.length).toBe(index);
  const answer = await client.write('later').response();
  delete stage.host.options.onHead;
  expect(answer.body.toString()).toBe('stared');
  const request = await stage.host.request(index);
  expect(request.body.toString()).toBe('firstlater');
  const record = { outcome: 'answered', status: 200, request_bytes: 10, response_bytes: 6 };
  expect(await messageOf(stage.gateway, request)).toMatchObject(record);
});

it('relays a response that overtakes a body of many writes, and sends the host no more of the body', async () => {
  const size = 1_000_000;
  stage.host.options.onHead = (_head, socket) => {
    socket.end(response({ status: '401 Unauthorized', body: 'no' }));
  };
  stage.host.options.answer = () => null;
  await using client = await stage.connect();
  client.write(`POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  client.write(Buffer.alloc(size / 2, 'a'));
  const answer = await client.response();
  delete stage.host.options.onHead;
  expect(statusOf(answer)).toBe(401);
  expect(answer.body.toString()).toBe('no');
  expect(answer.field('connection')).toBe('close');
  const record = await stage.gateway.audit(({ path }) => path === '/large');
  expect(record).toMatchObject({ outcome: 'answered', status: 401, reason: null, response_bytes: 2 });
  expect(record.request_bytes).toBeLessThan(size);
  expect(stage.host.requests.filter(({ startLine }) => startLine.includes('/large'))).toEqual([]);
});
