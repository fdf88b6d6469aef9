/** A source of revocations that fails or lies: what it said last still counts, and the trouble is told of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authority } from '../support/authority.ts';
import { post } from '../support/client.ts';
import { statusOf } from '../support/http.ts';
import { metricsWhen } from '../support/metrics.ts';
import { enter, openSite, told, valuesOf, visit } from '../support/revocation-site.ts';
import {
  crlTroubles,
  ocspTroubles,
  openCrlSource,
  openOcspSource,
  type RevocationSource,
} from '../support/revocation-sources.ts';
import type { Stage } from '../support/stage.ts';

const troubles = [
  ...crlTroubles.map((trouble) => ({ kind: 'crl', trouble }) as const),
  // To answer `unknown` is no trouble: it is the responder's last word.
  ...ocspTroubles
    .filter((trouble) => trouble !== 'unknown')
    .map((trouble) => ({ kind: 'ocsp', trouble }) as const),
];
const cases = troubles.flatMap((each, index) =>
  (['deny', 'allow'] as const).map((onUnknown) => ({ ...each, onUnknown, name: `a${index}-${onUnknown}` })),
);
type Case = (typeof cases)[number];

interface Ready {
  readonly source: RevocationSource;
  readonly pki: ReturnType<typeof authority>;
}

const opened = new AsyncDisposableStack();
const ready = new Map<Case, Ready>();
let stage: Stage;

beforeAll(async () => {
  for (const each of cases) {
    const pki = authority({ name: each.name });
    const source =
      each.kind === 'crl' ? await openCrlSource(pki, each.trouble) : await openOcspSource(pki, each.trouble);
    ready.set(each, { pki, source: opened.use(source) });
  }
  stage = opened.use(
    await openSite(
      cases.map((each) => ({
        name: each.name,
        pki: (ready.get(each) as Ready).pki,
        revocation: { scope: 'leaf', onUnknown: each.onUnknown, grace: '10s', refresh: '1s', firstContact: '5s' },
      })),
    ),
  );
});
afterAll(() => opened.disposeAsync());

describe.concurrent('what was known last counts on when the source is in trouble', () => {
  it.each(cases)('$kind: $trouble (onUnknown: $onUnknown)', async (each) => {
    const { pki, source } = ready.get(each) as Ready;
    const { extensions, address, kind } = source;
    const [good, revoked] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    source.revoke(revoked);
    const { client: open, status, record } = await enter(stage, good);
    await using _ = open;
    expect([status, record.revocation, record.anchor]).toEqual([200, 'good', each.name]);
    const isRefused = { status: 403, record: { verdict: 'deny', reason: 'revoked', revocation: 'revoked' } };
    expect(await visit(stage, revoked)).toMatchObject(isRefused);

    await source.trouble();
    const event = { event: source.told.action, anchor: each.name, address };
    expect((await told(stage.gateway, event)).detail).toMatch(source.told.detail);
    const line = await stage.gateway.logged(
      ({ msg, anchor }) => msg === source.told.action && anchor === each.name,
    );
    expect(line).toMatchObject({ address, detail: expect.stringMatching(source.told.detail) });

    expect(statusOf(await open.exchange(post()))).toBe(200);
    expect(await visit(stage, good)).toMatchObject({ status: 200, record: { revocation: 'good' } });
    expect(await visit(stage, revoked)).toMatchObject(isRefused);

    const labels = { anchor: each.name, kind, address };
    const age = 'ehi_revocation_age_seconds';
    const samples = await metricsWhen(stage.gateway, (all) =>
      valuesOf(all, 'ehi_revocation_failures', labels).some((count) => count > 0),
    );
    const [first = Number.NaN] = valuesOf(samples, age, labels);
    expect(first).toBeGreaterThanOrEqual(0);
    await metricsWhen(stage.gateway, (all) => valuesOf(all, age, labels).some((now) => now > first));
    expect(samples.get('ehi_revocation_soft_failing')).toBe(0);
  });
});
