/** A certificate and its twin with the other valid form of its ECDSA signature are one client, and revoked together. */
import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { twinOf } from '../support/pki/twin.ts';
import { post } from '../support/process/client.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { openStage } from '../support/process/stage.ts';
import { ocspMisbehaviours, openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, visit } from '../support/revocation/site.ts';

it('a twin has another SHA-256 and a valid signature', () => {
  const pki = authority();
  const leaf = pki.issueClient();
  const [one, other] = [leaf, twinOf(leaf)].map(({ der }) => parseCertificate(der));
  expect(other?.sha256).not.toBe(one?.sha256);
  expect(other).toMatchObject({ tbsSha256: one?.tbsSha256, serial: one?.serial });
  expect(other?.x509.verify(new X509Certificate(pki.issuing.der).publicKey)).toBe(true);
});

it.each([
  ['is down', ocspMisbehaviours.down],
  ['hangs', ocspMisbehaviours.hang],
])('denies the twin of a revoked certificate while the responder %s', async (_, misbehaviour) => {
  const pki = authority();
  await using responder = await openOcspResponder({ issuers: [pki.issuing] });
  const extensions = [ocspResponders([responder.url])];
  const leaf = pki.issueClient({ extensions });
  const good = pki.issueClient({ extensions });
  responder.statuses.set(parseCertificate(leaf.der).serial, { revokedAt: Date.now() - 60_000 });
  const revocation = { crl: 'off', onUnknown: 'allow', scope: 'leaf', firstContact: '2s', refresh: '1h' };
  await using stage = await openSite([{ name: 'own', pki, revocation }]);
  expect(await visit(stage, leaf)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
  expect(await visit(stage, good)).toMatchObject({ status: 200, record: { revocation: 'good' } });

  responder.misbehaviour = misbehaviour;
  const asked = responder.asked.length;
  const twin = twinOf(leaf);
  const { status, record } = await visit(stage, twin);
  expect({ status, ...record }).toMatchObject({ status: 403, verdict: 'deny', reason: 'revoked' });
  // The record names the presented certificate.
  expect(record.leaf.thumbprint).toBe(parseCertificate(twin.der).thumbprint);
  // A cached good response applies to the twin too, without another query.
  expect(await visit(stage, twinOf(good))).toMatchObject({ status: 200, record: { revocation: 'good' } });
  expect(responder.asked).toHaveLength(asked);
});

it('counts messages of a twin and of its certificate against one in-flight limit', async () => {
  await using stage = await openStage({ config: { limits: { inFlightPerClient: 1 } } });
  const held = new HeldAnswers(stage);
  await using first = await held.occupant();
  await using twin = await stage.connect({ leaf: twinOf(stage.leaf) });
  expect(statusOf(await twin.exchange(post()))).toBe(503);
  held.release();
  expect(statusOf(await first.response())).toBe(200);
});
