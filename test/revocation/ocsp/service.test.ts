/** OCSP through the service: queries ahead of expiry, accepts valid responses only, never queries about unknown certificates. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { authority } from '../../support/pki/authority.ts';
import { certId } from '../../support/revocation/ocsp-answer.ts';
import { delegate, ocspMisbehaviours, openOcspResponder } from '../../support/revocation/ocsp-responder.ts';
import { renewSigner } from '../../support/revocation/renewed-signer.ts';
import { day, hour, minute, openStage, type Stage, serialOf, start } from '../../support/revocation/stage.ts';

const otherAuthority = authority({ now: start });
const soon = { timeouts: { crl: 200, ocsp: 200 } };

const resultOf = (revocation: Awaited<ReturnType<Stage['open']>>) => revocation.material('own').ocsp[0];

/** A stage whose service has a good answer about a leaf; no events yet. */
async function openWithGood(changes = {}) {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage(changes));
  const client = stage.leaf({ ocsp: true });
  const revocation = await stage.open();
  await revocation.contact('own', client.der);
  await stage.pass(0);
  expect(stage.actions()).toEqual(['ocsp_fetched']);
  stage.changed.length = 0;
  const stack = opened.move();
  return { ...stage, client, revocation, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type Prepare = (stage: Stage & { client?: unknown }, client: ReturnType<Stage['leaf']>) => void;
const lie = (overlay: (stage: Stage) => Stage['responder']['lie']): Prepare => {
  return (stage) => {
    stage.responder.lie = overlay(stage);
  };
};
const misbehave = (misbehaviour: keyof typeof ocspMisbehaviours): Prepare => {
  return ({ responder }) => {
    responder.misbehaviour = ocspMisbehaviours[misbehaviour];
  };
};
const unusable: [string, Prepare, string, string][] = [
  ['is down', misbehave('down'), 'ocsp_fetch_failed', 'ECONNRESET'],
  ['serves an HTML page', misbehave('html'), 'ocsp_fetch_failed', 'text/html'],
  ['sends tryLater', misbehave('tryLater'), 'ocsp_refused', 'tryLater'],
  ['redirects to another host', misbehave('elsewhere'), 'ocsp_fetch_failed', 'redirected to another server'],
  [
    'sends a response that is too large',
    misbehave('oversized'),
    'ocsp_fetch_failed',
    'more than 65536 bytes',
  ],
  [
    'answers about another certificate',
    lie(({ own }) => ({ certId: certId(own.issueClient(), own.issuing) })),
    'ocsp_refused',
    'the response is not about this certificate',
  ],
  [
    'sends an expired response',
    lie(() => ({ status: 'unknown', thisUpdate: start - 3 * hour, nextUpdate: start - hour })),
    'ocsp_refused',
    'at 2026-01-15T11',
  ],
  [
    'sends a response that is not yet valid',
    lie(() => ({ status: 'unknown', thisUpdate: start + day, nextUpdate: start + 2 * day })),
    'ocsp_refused',
    'its thisUpdate is 2026-01-16',
  ],
  [
    'signs with a certificate of another CA',
    lie(() => {
      const signer = delegate(otherAuthority.issuing);
      return { status: { revokedAt: start }, signer, certificates: [signer.der] };
    }),
    'ocsp_refused',
    'not issued by the CA',
  ],
  [
    'signs with a client’s certificate',
    lie(({ own }) => {
      const signer = own.issueClient();
      return { status: { revokedAt: start }, signer, certificates: [signer.der] };
    }),
    'ocsp_refused',
    'OCSPSigning',
  ],
];

describe('a first contact', () => {
  it('lasts until the responder has answered', async () => {
    await using stage = await openStage();
    const client = stage.leaf({ ocsp: true });
    const revocation = await stage.open();
    expect(stage.responder.asked).toEqual([]);
    await revocation.contact('own', client.der);
    const { sha256, tbsSha256 } = parseCertificate(client.der);
    expect(revocation.material('own')).toEqual({
      policy: stage.subject().policy,
      crls: [],
      crlSources: [],
      revokeOnly: [],
      ocsp: [
        {
          ...{ certificate: tbsSha256, status: 'good', freshUntil: start + hour },
          detail: 'good until 2026-01-15T13:00:00.000Z',
          ...{ address: stage.responder.url, problem: null, responder: null },
        },
      ],
      leaves: [tbsSha256],
    });
    expect(stage.responder.asked).toEqual([serialOf(client)]);
    expect(stage.events).toMatchObject([
      { action: 'ocsp_fetched', address: stage.responder.url, certificate: expect.stringContaining('CN=') },
    ]);
    expect(revocation.sources()).toMatchObject([
      {
        ...{ anchor: 'own', kind: 'ocsp', address: stage.responder.url, certificate: sha256 },
        ...{ status: 'good', fetchedAt: start, nextUpdate: start + hour, problem: null, failures: 0 },
      },
    ]);
  });

  it('causes one query, however often it is repeated', async () => {
    await using stage = await openStage();
    const client = stage.leaf({ ocsp: true });
    const revocation = await stage.open();
    await Promise.all([1, 2, 3].map(() => revocation.contact('own', client.der)));
    await revocation.contact('own', client.der);
    expect(stage.responder.asked).toHaveLength(1);
  });

  it.each(unusable)('fails if the responder %s', async (_, prepare, action, detail) => {
    await using stage = await openStage();
    const client = stage.leaf({ ocsp: true });
    prepare(stage, client);
    const revocation = await stage.open();
    await revocation.contact('own', client.der);
    expect(revocation.material('own')).toMatchObject({
      ocsp: [{ status: 'failed', freshUntil: 0, detail: expect.stringContaining(detail) }],
      leaves: [expect.any(String)],
    });
    expect(stage.events).toMatchObject([{ action, detail: expect.stringContaining(detail) }]);
  });

  it('fails if the responder does not answer in time, and the leaf is tracked from then on', async () => {
    await using stage = await openStage();
    const client = stage.leaf({ ocsp: true });
    const reached = Promise.withResolvers<void>();
    stage.responder.misbehaviour = () => reached.resolve();
    const revocation = await stage.open(undefined, soon);
    const contact = revocation.contact('own', client.der);
    await reached.promise;
    expect(revocation.material('own')).toMatchObject({ ocsp: [], leaves: [] });
    await contact;
    expect(revocation.material('own')).toMatchObject({
      ocsp: [{ status: 'failed', detail: expect.stringMatching(/^http:\S+: no answer within 200 ms$/) }],
      leaves: [expect.any(String)],
    });
  });

  it('has the responder’s status, unknown or revoked', async () => {
    await using stage = await openStage();
    const [unknown, revoked] = [stage.leaf({ ocsp: true }), stage.leaf({ ocsp: true })];
    stage.responder.statuses.set(serialOf(unknown), 'unknown');
    stage.responder.statuses.set(serialOf(revoked), { revokedAt: start - hour, reason: 1 });
    const revocation = await stage.open();
    await revocation.contact('own', unknown.der);
    await revocation.contact('own', revoked.der);
    expect(revocation.material('own').ocsp).toMatchObject([
      { status: 'unknown', freshUntil: 0, detail: expect.stringContaining('does not know') },
      { status: 'revoked', freshUntil: 0, detail: 'revoked at 2026-01-15T11:00:00.000Z, keyCompromise' },
    ]);
  });

  it('queries the next responder if the first sends no usable response', async () => {
    await using stage = await openStage();
    await using second = await openOcspResponder({ issuers: [stage.own.issuing], now: () => start });
    stage.responder.misbehaviour = ocspMisbehaviours.garbage;
    const client = stage.own.issueClient({ extensions: [ocspResponders([stage.responder.url, second.url])] });
    const revocation = await stage.open();
    await revocation.contact('own', client.der);
    expect(resultOf(revocation)).toMatchObject({ status: 'good' });
    expect(stage.events).toMatchObject([{ action: 'ocsp_fetched', address: second.url }]);
  });

  it('queries the configured responder, whatever the leaf names', async () => {
    await using stage = await openStage();
    await using configured = await openOcspResponder({ issuers: [stage.own.issuing], now: () => start });
    const revocation = await stage.open([stage.subject({ ocsp: configured.url })]);
    for (const client of [stage.leaf({ ocsp: true }), stage.leaf()])
      await revocation.contact('own', client.der);
    expect([configured.asked.length, stage.responder.asked.length]).toEqual([2, 0]);
  });
});

describe('a good answer', () => {
  it.each(unusable)('stays in use if the responder %s', async (_, prepare, action, detail) => {
    await using stage = await openWithGood();
    const before = stage.revocation.material('own');
    // The answer in use is half an hour newer than the times in the table.
    prepare(stage, stage.client);
    await stage.pass(30 * minute);
    expect(stage.events).toMatchObject([{ action, detail: expect.stringContaining(detail) }]);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.changed).toEqual([]);
    expect(stage.revocation.sources()).toMatchObject([{ status: 'good', failures: 1 }]);
  });

  it('is refreshed at half of its validity, or after the refresh interval if that is sooner', async () => {
    await using stage = await openWithGood();
    await stage.pass(30 * minute - 1);
    expect(stage.responder.asked).toHaveLength(1);
    stage.responder.lie = { nextUpdate: start + 7 * day };
    await stage.pass(1);
    expect(stage.responder.asked).toHaveLength(2);
    expect(resultOf(stage.revocation)).toMatchObject({ freshUntil: start + 7 * day });
    await stage.pass(hour - 1);
    expect(stage.responder.asked).toHaveLength(2);
    await stage.pass(1);
    expect(stage.responder.asked).toHaveLength(3);
    expect(stage.actions(), 'nothing else than before').toEqual([]);
  });

  it('is refreshed with backoff while that fails, and failure and expiry are reported once', async () => {
    await using stage = await openWithGood();
    stage.responder.misbehaviour = ocspMisbehaviours.down;
    const asked: number[] = [];
    await stage.pass(30 * minute - 1000);
    for (let second = 0; second < 16; second++) {
      const seen = stage.responder.asked.length;
      await stage.pass(1000);
      if (stage.responder.asked.length > seen) asked.push(second);
    }
    expect(asked).toEqual([0, 1, 3, 7, 15]);
    expect(stage.actions()).toEqual(['ocsp_fetch_failed']);
    stage.responder.misbehaviour = null;
    await stage.pass(16_000);
    expect(stage.actions()).toEqual(['ocsp_confirmed']);
  });

  it('is not replaced by an older one from a slower replica', async () => {
    await using stage = await openWithGood();
    const before = stage.revocation.material('own');
    stage.responder.lie = { thisUpdate: start - 10 * minute, nextUpdate: start + 50 * minute };
    await stage.pass(30 * minute);
    expect(stage.responder.asked).toHaveLength(2);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.actions()).toEqual([]);
  });

  it('that has just expired, as clocks differ, is refreshed with backoff', async () => {
    await using stage = await openStage();
    stage.responder.lie = { thisUpdate: start - hour, nextUpdate: start - minute };
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf({ ocsp: true }).der);
    expect(resultOf(revocation)).toMatchObject({ status: 'good', freshUntil: start - minute });
    await stage.pass(20_000);
    // After 1, 3, 7 and 15 s.
    expect(stage.responder.asked).toHaveLength(5);
  });

  it('is replaced by unknown and by revoked', async () => {
    await using stage = await openWithGood();
    const serial = serialOf(stage.client);
    stage.responder.statuses.set(serial, 'unknown');
    await stage.pass(30 * minute);
    expect(resultOf(stage.revocation)).toMatchObject({ status: 'unknown' });
    stage.responder.statuses.set(serial, { revokedAt: start });
    await stage.pass(30 * minute);
    expect(resultOf(stage.revocation)).toMatchObject({ status: 'revoked' });
    expect(stage.actions()).toEqual(['ocsp_fetched', 'ocsp_fetched']);
    expect(stage.changed).toEqual(['own', 'own']);
  });
});

describe('a revoked answer', () => {
  async function openWithRevoked() {
    const stage = await openWithGood();
    stage.responder.statuses.set(serialOf(stage.client), { revokedAt: start, reason: 6 });
    await stage.pass(30 * minute);
    stage.actions();
    return stage;
  }

  it.each<[string, Stage['responder']['lie'], string]>([
    ['an older good answer', { status: 'good', thisUpdate: start, nextUpdate: start + day }, 'good as of'],
    ['unknown', { status: 'unknown' }, 'unknown after revoked'],
  ])('stays in use after %s', async (_, overlay, detail) => {
    await using stage = await openWithRevoked();
    stage.responder.lie = overlay;
    await stage.pass(hour);
    expect(resultOf(stage.revocation)).toMatchObject({ status: 'revoked' });
    expect(stage.events).toMatchObject([{ action: 'ocsp_refused', detail: expect.stringContaining(detail) }]);
  });

  it('is replaced by a later good, as after certificateHold', async () => {
    await using stage = await openWithRevoked();
    stage.responder.statuses.clear();
    await stage.pass(hour);
    expect(resultOf(stage.revocation)).toMatchObject({ status: 'good' });
    expect(stage.actions()).toEqual(['ocsp_fetched']);
  });

  it('stays in use after a restart, however old it is', async () => {
    await using stage = await openWithRevoked();
    await stage.revocation.close();
    await stage.responder.close();
    stage.time.now += 100 * day;
    const restarted = await stage.open();
    expect(resultOf(restarted)).toMatchObject({ status: 'revoked' });
  });
});

describe('an answer, when the certificate of the issuer is replaced', () => {
  it.each(['good', 'revoked'] as const)(
    'by one with the same key, stays in use without its copy and its responder: %s',
    async (status) => {
      await using stage = await openWithGood();
      const { revocation, responder, client } = stage;
      if (status === 'revoked') responder.statuses.set(serialOf(client), { revokedAt: start });
      await stage.pass(30 * minute);
      stage.actions();
      const before = resultOf(revocation);
      expect(before).toMatchObject({ status });
      await rm(stage.cacheDir, { recursive: true });
      responder.misbehaviour = ocspMisbehaviours.down;
      const queries = responder.asked.length;
      const { certificates } = renewSigner(stage);
      await revocation.update([stage.subject({}, certificates)]);
      expect(resultOf(revocation)).toBe(before);
      expect([responder.asked.length, stage.actions()]).toEqual([queries, []]);
    },
  );

  it('by one with another key, is dropped with the leaf', async () => {
    await using stage = await openWithGood();
    const { certificates } = renewSigner(stage, { key: 'P-256' });
    await stage.revocation.update([stage.subject({}, certificates)]);
    expect(stage.revocation.material('own')).toMatchObject({ ocsp: [], leaves: [] });
  });
});

describe('a restart', () => {
  it('has the leaf and its answer before the first query', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    await stage.responder.close();
    const restarted = await stage.open();
    expect(restarted.material('own')).toMatchObject({
      ocsp: [{ status: 'good', freshUntil: start + hour }],
      leaves: [parseCertificate(stage.client.der).tbsSha256],
    });
    expect(stage.events).toEqual([]);
    await restarted.contact('own', stage.client.der);
  });

  it('has the time when the answer was last confirmed, even if the answer has not changed', async () => {
    await using stage = await openWithGood();
    stage.responder.lie = { thisUpdate: start, nextUpdate: start + 9 * day };
    await stage.pass(2 * hour);
    const { revocation } = stage;
    const [{ fetchedAt = null } = {}] = revocation.sources();
    expect(fetchedAt).toBeGreaterThan(start + hour);
    await revocation.close();
    await stage.responder.close();
    expect((await stage.open()).sources()).toMatchObject([{ fetchedAt }]);
  });

  it('uses an expired answer for the grace period, and queries at once', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    stage.time.now = start + 20 * hour;
    const restarted = await stage.open();
    expect(resultOf(restarted)).toMatchObject({ status: 'good', freshUntil: start + hour });
    await stage.pass(10_000);
    expect(resultOf(restarted)).toMatchObject({ freshUntil: start + 21 * hour + 10_000 });
    await restarted.close();

    stage.time.now = start + 60 * hour;
    stage.responder.misbehaviour = ocspMisbehaviours.down;
    const again = await stage.open();
    await again.contact('own', stage.client.der);
    expect(resultOf(again)).toMatchObject({ status: 'failed' });
  });

  it('refuses a corrupted copy', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    const folder = join(stage.cacheDir, 'ocsp', 'own');
    const [file = ''] = await readdir(folder);
    const bytes = Buffer.from('no answer').toString('base64');
    await writeFile(
      join(folder, file),
      JSON.stringify({ version: 1, url: 'http://x/', fetchedAt: 0, bytes }),
    );
    const restarted = await stage.open();
    await stage.pass(0);
    expect(resultOf(restarted)).toMatchObject({ status: 'good' });
    expect(stage.events).toMatchObject([
      { action: 'ocsp_refused', detail: expect.stringMatching(/^from the cache: /) },
      { action: 'ocsp_fetched' },
    ]);
  });

  it('deletes expired leaves and the answers about them', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    stage.time.now = start + 400 * day;
    const restarted = await stage.open();
    expect(restarted.material('own')).toMatchObject({ ocsp: [], leaves: [] });
    for (const kind of ['leaves', 'ocsp'])
      expect(await readdir(join(stage.cacheDir, kind, 'own'))).toEqual([]);
  });
});

describe('CAs', () => {
  it('are checked below the root, each with its issuer', async () => {
    await using stage = await openStage({ scope: 'chain' }, { ca: { ocsp: true } });
    const revocation = await stage.open();
    await stage.pass(0);
    expect(stage.responder.asked).toEqual([serialOf(stage.own.issuing)]);
    expect(resultOf(revocation)).toMatchObject({ status: 'good' });
  });

  it('are not checked with scope leaf', async () => {
    await using stage = await openStage({ scope: 'leaf' }, { ca: { ocsp: true, crl: ['/root.crl'] } });
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf().der);
    expect([stage.responder.asked, stage.directory.requests]).toEqual([[], []]);
    expect(stage.events).toMatchObject([{ action: 'not_checked' }]);
  });

  it('are part of a first contact', async () => {
    await using stage = await openStage({ scope: 'chain' }, { ca: { ocsp: true } });
    const [reached, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    stage.responder.misbehaviour = async (_request, response) => {
      reached.resolve();
      await answer.promise;
      response.destroy();
    };
    const revocation = await stage.open();
    await reached.promise;
    const contact = revocation.contact('own', stage.leaf().der);
    expect(revocation.material('own').leaves).toEqual([]);
    answer.resolve();
    await contact;
    expect(revocation.material('own')).toMatchObject({
      ocsp: [{ status: 'failed' }],
      leaves: [expect.any(String)],
    });
  });
});
