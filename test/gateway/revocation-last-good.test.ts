/** A revocation source that fails or sends invalid data: its last valid data stay in use, and the failure is reported. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { type CaseStage, openCases, revocationCases } from '../support/revocation/cases.ts';
import { enterWhen, revocationRecord, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';

// The response `unknown` is not a failure: it replaces the last response.
const cases = revocationCases.filter(({ trouble }) => trouble !== 'unknown');

let opened: CaseStage;
beforeAll(async () => {
  opened = await openCases(cases, { grace: '10s', refresh: '1s', firstContact: '5s' });
});
afterAll(() => opened[Symbol.asyncDispose]());

describe.concurrent('uses the last valid data while the source fails', () => {
  it.each(cases)('$kind: $trouble (onUnknown: $onUnknown)', async (each) => {
    const { stage } = opened;
    const { gateway } = stage;
    const { pki, source } = opened.of(each);
    const { extensions, address, kind } = source;
    const [good, revoked] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    source.revoke(revoked);
    const { client, ...first } = await enterWhen(stage, good, 'good');
    await using open = client;
    expect(first).toMatchObject({ status: 200, record: { anchor: each.name } });
    const isRefused = { status: 403, record: { verdict: 'deny', reason: 'revoked', revocation: 'revoked' } };
    expect(await visitWhen(stage, revoked, 'revoked')).toMatchObject(isRefused);

    await source.trouble();
    const { action, detail } = source.reported;
    const event = await revocationRecord(gateway, { event: action, anchor: each.name, address });
    expect(event.detail).toMatch(detail);
    const line = await gateway.logged((found) => found.action === action && found.anchor === each.name);
    expect(line).toMatchObject({ level: 40, address, detail: event.detail });

    expect(statusOf(await open.exchange(post()))).toBe(200);
    expect(await visit(stage, good)).toMatchObject({ status: 200, record: { revocation: 'good' } });
    expect(await visit(stage, revoked)).toMatchObject(isRefused);

    const labels = { anchor: each.name, kind, address };
    const age = 'ehi_revocation_age_seconds';
    const samples = await metricsWhen(gateway, (all) =>
      valuesOf(all, 'ehi_revocation_failures', labels).some((count) => count > 0),
    );
    const [then = Number.NaN] = valuesOf(samples, age, labels);
    expect(then).toBeGreaterThanOrEqual(0);
    await metricsWhen(gateway, (all) => valuesOf(all, age, labels).some((now) => now > then));
    expect(samples.get('ehi_revocation_soft_failing')).toBe(0);
  });
});
