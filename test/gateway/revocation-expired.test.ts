/** Revocation data that are past their expiry and grace while their source fails: the policy of the anchor decides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import type { Leaf } from '../support/pki/authority.ts';
import { type Client, post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import type { Stage } from '../support/process/stage.ts';
import {
  type CaseStage,
  openCases,
  type RevocationCase,
  revocationCases,
} from '../support/revocation/cases.ts';
import { enterWhen, revocationRecord, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';

const second = 1000;
const softFailing = 'ehi_revocation_soft_failing';

let opened: CaseStage;
/** Connections that are accepted with unknown revocation. */
const soft: Client[] = [];
beforeAll(async () => {
  opened = await openCases(revocationCases, { grace: '1s', refresh: '1s', firstContact: '5s' });
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Makes the source's data expire in two seconds, or in twice as many if the gateway has not loaded them by then. */
async function endSoon({ gateway }: Stage, each: RevocationCase): Promise<void> {
  const { source } = opened.of(each);
  const labels = { anchor: each.name, kind: source.kind, address: source.address };
  let isTaken = false;
  for (let left = 2 * second; !isTaken; left *= 2) {
    const end = Math.ceil(Date.now() / second) * second + left;
    source.endAt(end);
    await metricsWhen(gateway, (samples) => {
      const ends = valuesOf(samples, 'ehi_revocation_next_update_timestamp_seconds', labels);
      isTaken = ends.length > 0 && ends.every((each) => each === end / second);
      return isTaken || Date.now() > end;
    });
  }
}

/** The CA restarted its CRL numbers: its CRL is accepted by now, and earlier revocations still apply. */
async function expectRestarted({ gateway }: Stage, each: RevocationCase, address: string): Promise<void> {
  await revocationRecord(gateway, { event: 'crl_restarted', anchor: each.name, address });
  await gateway.logged(
    ({ action, level, anchor }) => action === 'crl_restarted' && level === 50 && anchor === each.name,
  );
}

/** Expects that the open connection is closed and new ones are refused. */
async function expectDenied(stage: Stage, each: RevocationCase, { open, good }: Visits): Promise<void> {
  const live = await stage.gateway.audit(
    ({ type, stage, anchor }) => type === 'verdict' && stage === 'live' && anchor === each.name,
  );
  expect(live).toMatchObject({ verdict: 'deny', reason: 'revocation_unknown' });
  expect(await open.rest()).toEqual(Buffer.alloc(0));
  const refused = { status: 403, record: { verdict: 'deny', reason: 'revocation_unknown' } };
  expect(await visitWhen(stage, good, 'unknown')).toMatchObject(refused);
}

/** Expects that the open connection and new ones are accepted, with one warning in the log. */
async function expectSoftFail(stage: Stage, each: RevocationCase, { open, good }: Visits): Promise<void> {
  const admitted = { status: 200, record: { verdict: 'allow', reason: null, anchor: each.name } };
  expect(await visitWhen(stage, good, 'unknown')).toMatchObject(admitted);
  expect(statusOf(await open.exchange(post()))).toBe(200);
  const line = await stage.gateway.logged(
    ({ msg, anchor }) =>
      anchor === each.name &&
      `${msg}`.startsWith('clients are allowed although their revocation status is unknown'),
  );
  expect(line.level).toBe(40);
  soft.push(open);
}

interface Visits {
  /** An accepted connection of `good`. */
  readonly open: Client;
  readonly good: Leaf;
}

describe.concurrent('applies onUnknown after expiry and grace', () => {
  it.each(revocationCases)('$kind: $trouble (onUnknown: $onUnknown)', async (each) => {
    const { stage } = opened;
    const { gateway } = stage;
    const { pki, source } = opened.of(each);
    const { extensions, address, kind } = source;
    const good = pki.issueClient({ extensions });
    // A different name: the same name would share the metric series.
    const revoked = pki.issueClient({ extensions, subject: { CN: 'revoked' } });
    source.revoke(revoked);
    const { client: open, ...first } = await enterWhen(stage, good, 'good');
    expect(first.status).toBe(200);
    expect(await visitWhen(stage, revoked, 'revoked')).toMatchObject({ status: 403 });

    await endSoon(stage, each);
    await source.trouble();
    if (each.trouble === 'rolled back') {
      await expectRestarted(stage, each, address);
      expect(await visitWhen(stage, good, 'good')).toMatchObject({ status: 200 });
      expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
      return;
    }
    await revocationRecord(gateway, { event: source.reported.action, anchor: each.name, address });
    if (kind === 'crl') {
      await revocationRecord(gateway, { event: 'crl_stale', anchor: each.name, address });
      await revocationRecord(gateway, { event: 'crl_expired', anchor: each.name, address });
    }

    const expectPolicy = each.onUnknown === 'deny' ? expectDenied : expectSoftFail;
    await expectPolicy(stage, each, { open, good });
    // A revocation does not expire.
    expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
  });
});

// Open connections that were accepted with unknown revocation are counted, and their anchors are logged once.
afterAll(async () => {
  const { gateway } = opened.stage;
  const cases = revocationCases.filter(({ trouble }) => trouble !== 'rolled back');
  expect(soft).toHaveLength(cases.length / 2);
  await metricsWhen(gateway, (samples) => samples.get(softFailing) === soft.length);
  for (const client of soft) await client[Symbol.asyncDispose]();
  await metricsWhen(gateway, (samples) => samples.get(softFailing) === 0);
  for (const { name, onUnknown } of cases) {
    const warnings = gateway
      .log()
      .filter(({ msg, anchor }) => anchor === name && /^clients are allowed although/.test(msg));
    expect([name, warnings.length]).toEqual([name, onUnknown === 'allow' ? 1 : 0]);
  }
});
