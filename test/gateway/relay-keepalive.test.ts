/** Many messages on one connection, one exchange at a time, and `Connection: close` from the client. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { echo, numbered, posts } from '../support/numbered.ts';
import { post } from '../support/process/client.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ named: true, host: { answer: echo } });
});

afterAll(() => stage[Symbol.asyncDispose]());

it('relays successive messages of one client connection over one connection to the host', async () => {
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

it('closes the connection after the response to Connection: close, and ignores pipelined requests', async () => {
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
