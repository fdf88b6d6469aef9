/** `listen.rejectWith: close`: a denied client gets no page, and is recorded. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ config: { listen: { rejectWith: 'close' } } });
});
afterAll(() => stage[Symbol.asyncDispose]());

it.each([
  ['without a certificate', () => undefined, 'no_certificate'],
  ['of another CA', () => authority().issueClient(), 'untrusted'],
])('closes the connection of a client %s without a response', async (_who, leaf, reason) => {
  await using client = await stage.connect({ leaf: leaf() });
  const record = await handshakeFrom(stage.gateway, client.socket);
  expect(record).toMatchObject({ verdict: 'deny', reason });
  await client.write(post()).rest();
  await expect(client.response()).rejects.toThrow('ended after 0 bytes');
});

it('accepts the valid leaf', async () => {
  expect(statusOf(await stage.send(post()))).toBe(200);
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway, 3);
  const messages = stage.gateway.records().filter(({ type }) => type === 'message');
  expect(messages.map(({ status }) => status)).toEqual([200]);
});
