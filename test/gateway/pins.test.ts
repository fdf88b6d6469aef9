/** `clients.pins`: a key on the validated path must be pinned; other certificates that the client sends do not count. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, handshakeOf, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority();
const pinned = pki.issueClient();
const pinOf = ({ der }: { der: Buffer }) => `sha256/${parseCertificate(der).spkiPin}`;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ authority: pki, config: { clients: { pins: [pinOf(pinned)] } } });
});
afterAll(() => stage[Symbol.asyncDispose]());

it('accepts the pinned key, also in a renewed certificate', async () => {
  for (const leaf of [pinned, pki.issueClient({ key: pinned.privateKey, subject: { CN: 'Renewed' } })]) {
    const answer = await stage.send(post(), { leaf });
    expect(statusOf(answer)).toBe(200);
    const record = await stage.gateway.audit(
      ({ leaf: recorded }) => recorded?.thumbprint === parseCertificate(leaf.der).thumbprint,
    );
    expect(record).toMatchObject({
      verdict: 'allow',
      leaf: { spki_pin: parseCertificate(leaf.der).spkiPin, pin: pinOf(pinned) },
    });
  }
});

it('refuses another key of the same CA', async () => {
  const answer = await stage.send(post(), { leaf: pki.issueClient() });
  expect(statusOf(answer)).toBe(403);
  const { handshake } = await refusalOf(stage.gateway, answer);
  expect(handshake).toMatchObject({ reason: 'pin_mismatch', openssl_code: null });
});

it.each([
  ['of the same CA', () => pki.issueClient(), 'pin_mismatch'],
  ['of another CA', () => authority().issueClient(), 'untrusted'],
])('refuses a chain %s to which the pinned certificate is appended', async (_of, issue, reason) => {
  const leaf = issue();
  for (const chainPem of [leaf.pem + pinned.pem + pki.issuing.pem, leaf.pem + pki.issuing.pem + pinned.pem]) {
    const answer = await stage.send(post(), { leaf: { ...leaf, chainPem } });
    expect(statusOf(answer)).toBe(403);
    expect(await handshakeOf(stage.gateway, answer)).toMatchObject({ verdict: 'deny', reason });
  }
});

it('refuses a certificate of another CA for the pinned key', async () => {
  const leaf = authority().issueClient({ key: pinned.privateKey });
  const answer = await stage.send(post(), { leaf });
  expect(await handshakeOf(stage.gateway, answer)).toMatchObject({ verdict: 'deny', reason: 'untrusted' });
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});

it('accepts a pinned CA key on the path when match names the client', async () => {
  const other = authority();
  const anchors = [{ name: 'both', files: ['anchor.pem'] }];
  const { organizationalUnits } = parseCertificate(pinned.der);
  const clients = { pins: [pinOf(pki.issuing)], match: { organizationalUnit: organizationalUnits[0] } };
  const config = { trust: { anchors: [...anchors, { name: 'other', files: ['other.pem'] }] }, clients };
  await using both = await openStage({ authority: pki, config, files: { 'other.pem': other.anchorPem } });
  expect(statusOf(await both.send(post()))).toBe(200);
  const answer = await both.send(post(), { leaf: other.issueClient() });
  expect(await handshakeOf(both.gateway, answer)).toMatchObject({ reason: 'pin_mismatch' });
});
