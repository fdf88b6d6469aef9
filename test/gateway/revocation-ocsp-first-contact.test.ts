/** A failing responder at the first handshake of a leaf: the handshake waits at most firstContact, messages do not wait. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { type CaseStage, openCases, revocationCases } from '../support/revocation/cases.ts';
import { enter, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';

const cases = revocationCases.filter(({ kind }) => kind === 'ocsp');
const checks = 'ehi_revocation_checks_total';

let opened: CaseStage;
beforeAll(async () => {
  // Known responses are not queried again meanwhile; failed queries are repeated within a second.
  opened = await openCases(cases, { refresh: '1h', firstContact: '5s' });
});
afterAll(() => opened[Symbol.asyncDispose]());

describe.concurrent('applies onUnknown to a leaf without a cached response when the responder is', () => {
  it.each(cases)('$trouble (onUnknown: $onUnknown)', async (each) => {
    const { stage } = opened;
    const { pki, source } = opened.of(each);
    const { extensions } = source;
    const [known, unseen] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    const { client, ...first } = await enter(stage, known);
    await using open = client;
    expect(first).toMatchObject({ status: 200, record: { revocation: 'good' } });

    await source.trouble();
    const coming = visit(stage, unseen);
    if (each.trouble !== 'down') await source.asked(unseen);
    // An accepted connection does not wait.
    for (let count = 0; count < 3; count++) expect(statusOf(await open.exchange(post()))).toBe(200);

    // The verdict is made while the responder still fails.
    const { status, record } = await coming;
    expect(record).toMatchObject({ revocation: 'unknown', resumed: false, leaf: expect.anything() });
    expect({ status, ...record }).toMatchObject(
      each.onUnknown === 'deny'
        ? { status: 403, verdict: 'deny', reason: 'revocation_unknown', anchor: null }
        : { status: 200, verdict: 'allow', reason: null, anchor: each.name },
    );
    const labels = { anchor: each.name, status: 'unknown' };
    await metricsWhen(stage.gateway, (samples) => valuesOf(samples, checks, labels).includes(1));
    expect(statusOf(await open.exchange(post()))).toBe(200);

    if (each.trouble === 'down') return;
    await source.recover();
    expect((await visitWhen(stage, unseen, 'good')).status).toBe(200);
  });
});
