/** A reload that enables revocation checks gives open connections the firstContact time; some close within it. */
import { expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { eventually } from '../support/eventually.ts';
import { authority } from '../support/pki/authority.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { ocspMisbehaviours, openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { enter, openSite, siteConfig } from '../support/revocation/site.ts';

const withdrawn = 'ehi_permits_withdrawn_total{reason="revocation_unknown"}';

it('withdraws the permit of an open connection without a response in time, and records nothing for a closed one', async () => {
  await using opened = new AsyncDisposableStack();
  const pki = authority();
  const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing] }));
  responder.misbehaviour = ocspMisbehaviours.hang;
  const leaf = () => pki.issueClient({ extensions: [ocspResponders([responder.url])] });
  const anchors = (revocation: object) => [{ name: 'own', pki, revocation }];
  const stage = opened.use(await openSite(anchors({ crl: 'off', ocsp: 'off' })));
  // Checked in this order.
  const [leaving, staying] = [await enter(stage, leaf()), await enter(stage, leaf())];
  opened.use(staying.client);

  await stage.reload(siteConfig(anchors({ scope: 'leaf', crl: 'off', firstContact: '5s' })));
  await eventually(() => responder.asked.length >= 2);
  await leaving.client[Symbol.asyncDispose]();

  expect(await staying.client.rest()).toEqual(Buffer.alloc(0));
  await metricsWhen(stage.gateway, (samples) => (samples.get(withdrawn) ?? 0) > 0);
  expect((await readMetrics(stage.gateway)).get(withdrawn)).toBe(1);
  const verdicts = stage.gateway.records().filter(({ type }) => type === 'verdict');
  expect(verdicts.map(({ conn_id }) => conn_id)).toEqual([staying.record.conn_id]);
});
