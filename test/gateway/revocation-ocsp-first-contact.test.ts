/** A responder in trouble when a leaf is seen for the first time: the handshake waits so long and no longer, messages never. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { post } from '../support/client.ts';
import { statusOf } from '../support/http.ts';
import { metricsWhen } from '../support/metrics.ts';
import { type CaseStage, openCases, revocationCases } from '../support/revocation-cases.ts';
import { enter, told, valuesOf, visit } from '../support/revocation-site.ts';

const cases = revocationCases.filter(({ kind }) => kind === 'ocsp');
const checks = 'ehi_revocation_checks_total';

let opened: CaseStage;
beforeAll(async () => {
  opened = await openCases(cases, { refresh: '1s', firstContact: '2s' });
});
afterAll(() => opened[Symbol.asyncDispose]());

describe.concurrent('a leaf that nobody has asked about, when the responder is', () => {
  it.each(cases)('$trouble (onUnknown: $onUnknown)', async (each) => {
    const { stage } = opened;
    const { gateway } = stage;
    const { pki, source } = opened.of(each);
    const { extensions, address } = source;
    const [known, unseen] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    const { client, ...first } = await enter(stage, known);
    await using open = client;
    expect(first).toMatchObject({ status: 200, record: { revocation: 'good' } });

    // It has been asked about one of them under the trouble already, in the case where it then knows neither of them.
    const { serial } = parseCertificate(unseen.der);
    await source.trouble(unseen);
    const coming = visit(stage, unseen);
    await source.askedAbout(serial);
    expect(statusOf(await open.exchange(post()))).toBe(200);

    const { status, record } = await coming;
    const word = { revocation: 'unknown', resumed: false };
    if (each.onUnknown === 'deny')
      expect({ status, record }).toMatchObject({
        status: 403,
        record: { ...word, verdict: 'deny', reason: 'revocation_unknown', anchor: null },
      });
    else
      expect({ status, record }).toMatchObject({
        status: 200,
        record: { ...word, verdict: 'allow', reason: null, anchor: each.name },
      });
    expect(statusOf(await open.exchange(post()))).toBe(200);
    if (each.trouble === 'slow') expect(source.isHolding()).toBe(true);
    const labels = { anchor: each.name, status: 'unknown' };
    await metricsWhen(gateway, (samples) => valuesOf(samples, checks, labels).includes(1));

    if (each.trouble === 'down') return;
    await source.recover();
    if (each.trouble !== 'slow')
      await told(gateway, { event: source.told.action, anchor: each.name, address });
    for (;;) {
      const again = await visit(stage, unseen);
      if (again.record.revocation === 'good') break;
    }
  });
});
