/** Expired revocation data are used during their grace, and this is reported. */
import { expect, it } from 'vitest';
import { authority } from '../support/pki/authority.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openSite, revocationRecord, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';
import { openCrlSource, openOcspSource } from '../support/revocation/sources.ts';

const second = 1000;

it.each([
  ['CRL', openCrlSource],
  ['OCSP answer', openOcspSource],
] as const)('accepts a client on a stale %s within its grace, and reports it', async (_, open) => {
  await using opened = new AsyncDisposableStack();
  const pki = authority();
  const source = opened.use(await open(pki, 'down'));
  // Newer than the allowed clock skew, or the response would not be accepted at all.
  const end = Math.floor(Date.now() / second) * second - 30 * second;
  source.endAt(end);
  const revocation = { scope: 'leaf', firstContact: '5s', refresh: '1h' };
  const stage = opened.use(await openSite([{ name: 'own', pki, revocation }]));
  const [good, revoked] = [0, 1].map(() => pki.issueClient({ extensions: source.extensions }));
  if (good === undefined || revoked === undefined) throw new TypeError('no leaf');
  source.revoke(revoked);

  const admitted = { status: 200, record: { verdict: 'allow', anchor: 'own', revocation: 'stale' } };
  expect(await visitWhen(stage, good, 'stale')).toMatchObject(admitted);
  expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
  const labels = { anchor: 'own', kind: source.kind, address: source.address };
  const samples = await metricsWhen(
    stage.gateway,
    (all) => valuesOf(all, 'ehi_revocation_checks_total', { anchor: 'own', status: 'stale' })[0] === 1,
  );
  expect(valuesOf(samples, 'ehi_revocation_age_seconds', labels)).not.toEqual([]);
  expect(valuesOf(samples, 'ehi_revocation_next_update_timestamp_seconds', labels)).toContain(end / second);
  if (source.kind === 'crl') {
    await revocationRecord(stage.gateway, { event: 'crl_stale', anchor: 'own', address: source.address });
    await stage.gateway.logged(({ action, address }) => action === 'crl_stale' && address === source.address);
  }
});
