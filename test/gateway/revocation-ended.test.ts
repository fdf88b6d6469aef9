/** The last good word of a source in trouble has ended, and its grace has too: the anchor's policy decides. */
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
import { enterWhen, told, valuesOf, visit, visitWhen } from '../support/revocation/site.ts';

const second = 1000;
const softFailing = 'ehi_revocation_soft_failing';

let opened: CaseStage;
/** Connections that are let in on an unknown. */
const soft: Client[] = [];
beforeAll(async () => {
  opened = await openCases(revocationCases, { grace: '1s', refresh: '1s', firstContact: '5s' });
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Has what the source says end in two seconds, and in twice as many where the gateway has not taken it by then. */
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

/** The CA numbers its CRLs anew: its list is believed by now, and what it had revoked before stays revoked. */
async function expectRestarted({ gateway }: Stage, each: RevocationCase, address: string): Promise<void> {
  await told(gateway, { event: 'crl_restarted', anchor: each.name, address });
  await gateway.logged(
    ({ msg, level, anchor }) => msg === 'crl_restarted' && level === 50 && anchor === each.name,
  );
}

/** The open connection is closed, and new ones are refused. */
async function expectDenied(stage: Stage, each: RevocationCase, { open, good }: Visits): Promise<void> {
  const live = await stage.gateway.audit(
    ({ type, stage, anchor }) => type === 'verdict' && stage === 'live' && anchor === each.name,
  );
  expect(live).toMatchObject({ verdict: 'deny', reason: 'revocation_unknown' });
  expect(await open.rest()).toEqual(Buffer.alloc(0));
  const refused = { status: 403, record: { verdict: 'deny', reason: 'revocation_unknown' } };
  expect(await visitWhen(stage, good, 'unknown')).toMatchObject(refused);
}

/** The open connection and new ones are let in, with one warning in the log. */
async function expectSoftFail(stage: Stage, each: RevocationCase, { open, good }: Visits): Promise<void> {
  const admitted = { status: 200, record: { verdict: 'allow', reason: null, anchor: each.name } };
  expect(await visitWhen(stage, good, 'unknown')).toMatchObject(admitted);
  expect(statusOf(await open.exchange(post()))).toBe(200);
  const line = await stage.gateway.logged(
    ({ msg, anchor }) =>
      anchor === each.name && msg === 'clients are allowed although their revocation status is unknown',
  );
  expect(line.level).toBe(40);
  soft.push(open);
}

interface Visits {
  /** A connection of `good` that was let in. */
  readonly open: Client;
  readonly good: Leaf;
}

describe.concurrent('when what was known last has ended, and its grace too', () => {
  it.each(revocationCases)('$kind: $trouble (onUnknown: $onUnknown)', async (each) => {
    const { stage } = opened;
    const { gateway } = stage;
    const { pki, source } = opened.of(each);
    const { extensions, address, kind } = source;
    const good = pki.issueClient({ extensions });
    // Of another name: one of the same would have the same series.
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
    await told(gateway, { event: source.told.action, anchor: each.name, address });
    if (kind === 'crl') {
      await told(gateway, { event: 'crl_stale', anchor: each.name, address });
      await told(gateway, { event: 'crl_expired', anchor: each.name, address });
    }

    const expectPolicy = each.onUnknown === 'deny' ? expectDenied : expectSoftFail;
    await expectPolicy(stage, each, { open, good });
    // A revocation has no end.
    expect(await visit(stage, revoked)).toMatchObject({ status: 403, record: { reason: 'revoked' } });
  });
});

it('counts the connections that it lets in on an unknown, for as long as they are open', async () => {
  const { gateway } = opened.stage;
  const cases = revocationCases.filter(({ trouble }) => trouble !== 'rolled back');
  expect(soft).toHaveLength(cases.length / 2);
  await metricsWhen(gateway, (samples) => samples.get(softFailing) === soft.length);
  for (const client of soft) await client[Symbol.asyncDispose]();
  await metricsWhen(gateway, (samples) => samples.get(softFailing) === 0);
  for (const { name, onUnknown } of cases) {
    const told = gateway
      .log()
      .filter(({ msg, anchor }) => anchor === name && /^clients are allowed although/.test(msg));
    expect([name, told.length]).toEqual([name, onUnknown === 'allow' ? 1 : 0]);
  }
});
