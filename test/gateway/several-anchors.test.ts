/** Two trust anchors at the same time: the record of each leaf names the anchor that its path leads to. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { handshakeFrom, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const first = authority();
/** The same names with other keys: only the signatures distinguish the two authorities. */
const second = authority();
const stranger = authority();

let stage: Stage;
beforeAll(async () => {
  const anchors = [
    { name: 'first', files: ['first-issuing.pem', 'first-root.pem'] },
    { name: 'second', files: ['second.pem'] },
  ];
  stage = await openStage({
    authority: first,
    config: { trust: { anchors }, clients: { anyCertificateOfAnchor: true } },
    files: {
      'first-issuing.pem': first.issuing.pem,
      'first-root.pem': first.root.pem,
      'second.pem': second.anchorPem,
    },
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

it.each([
  ['first', first],
  ['second', second],
] as const)('records the anchor %s for its leaves', async (anchor, { issueClient }) => {
  await using client = await stage.connect({ leaf: issueClient() });
  const record = await handshakeFrom(stage.gateway, client.socket);
  expect(record).toMatchObject({ verdict: 'allow', reason: null, anchor, openssl_code: null });
  expect(statusOf(await client.exchange(post()))).toBe(200);
});

it('refuses a third authority with the same names', async () => {
  const answer = await stage.send(post(), { leaf: stranger.issueClient() });
  expect(statusOf(answer)).toBe(403);
  const { handshake } = await refusalOf(stage.gateway, answer);
  expect(handshake).toMatchObject({ verdict: 'deny', reason: 'untrusted', anchor: null });
});
