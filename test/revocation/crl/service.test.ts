/** CRLs through the service: which CRL may replace the last good one, and when sources are fetched. */
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { RevocationCheck } from '../../../src/revocation/judgement.ts';
import { authority } from '../../support/pki/authority.ts';
import { issueCrl } from '../../support/revocation/crl.ts';
import {
  crlNumbers,
  day,
  hour,
  minute,
  openStage,
  openWithCrl,
  type Stage,
  start,
} from '../../support/revocation/stage.ts';
import { misbehaviours } from '../../support/trust/directory.ts';

const otherAuthority = authority({ now: start });

describe('the last good CRL', () => {
  type Prepare = (stage: Stage) => void;
  const serve = (bytes: (stage: Stage) => Uint8Array | string): Prepare => {
    return (stage) => stage.directory.files.set('/own.crl', bytes(stage));
  };
  it.each<[string, Prepare, string, string]>([
    [
      'is down',
      ({ directory }) => {
        directory.misbehaviour = misbehaviours.fail;
      },
      'crl_fetch_failed',
      'the server answered 503',
    ],
    [
      'closes the connection during the response',
      ({ directory }) => {
        directory.misbehaviour = misbehaviours.cut;
      },
      'crl_fetch_failed',
      'ECONNRESET',
    ],
    ['serves an HTML page', serve(() => '<html>Sign in</html>'), 'crl_refused', 'neither DER nor PEM'],
    [
      'serves a truncated CRL',
      serve((stage) => stage.crl({ number: 6 }).der.subarray(0, 200)),
      'crl_refused',
      'not a CRL',
    ],
    [
      'serves a CRL signed with another key in the same name',
      serve((stage) => stage.crl({ number: 6, issuer: otherAuthority.issuing }).der),
      'crl_refused',
      'not signed by',
    ],
    [
      'serves a CRL of another CA',
      serve(
        (stage) =>
          issueCrl({
            issuer: authority({ now: start, name: 'Other' }).issuing,
            thisUpdate: stage.time.now,
            nextUpdate: stage.time.now + day,
          }).der,
      ),
      'crl_refused',
      'no certificate of the trust anchor has',
    ],
    [
      'serves an older CRL',
      serve((stage) => stage.crl({ number: 4 }).der),
      'crl_refused',
      'rolled back: CRL number 4 after 5',
    ],
    [
      'serves a CRL past its grace period',
      serve(
        (stage) => stage.crl({ number: 6, thisUpdate: start - 3 * day, nextUpdate: start - 2 * day }).der,
      ),
      'crl_refused',
      'expired: at 2026-01-13',
    ],
    [
      'serves a CRL that is not yet valid',
      serve((stage) => stage.crl({ number: 6, thisUpdate: start + day, nextUpdate: start + 2 * day }).der),
      'crl_refused',
      'not yet valid',
    ],
    [
      'serves the CRL of another CA of the anchor',
      serve((stage) => stage.crl({ issuer: stage.own.root, number: 9 }).der),
      'crl_refused',
      'another series',
    ],
    [
      'serves a delta CRL instead',
      serve((stage) => stage.crl({ number: 6, baseNumber: 5 }).der),
      'crl_refused',
      'another series',
    ],
  ])('stays in use when its address %s', async (_, prepare, action, detail) => {
    await using stage = await openWithCrl();
    const { revocation, url, pass } = stage;
    const before = revocation.material('own');
    prepare(stage);
    await pass(hour);
    expect(stage.events).toMatchObject([
      { action, anchor: 'own', address: url('/own.crl'), detail: expect.stringContaining(detail) },
    ]);
    const { revokeOnly, ...material } = revocation.material('own');
    expect({ ...material, revokeOnly: [] }).toEqual(before);
    // A verified CRL is kept even so: the certificates that it lists count as revoked.
    expect(revokeOnly).toHaveLength(
      /the certificates that it lists count/.test(stage.events[0]?.detail ?? '') ? 1 : 0,
    );
    expect(revocation.sources()).toMatchObject([
      {
        ...{ kind: 'crl', address: url('/own.crl'), number: '5', entries: 0, fetchedAt: start },
        ...{ failures: 1, problem: expect.stringContaining(detail) },
      },
    ]);
  });

  it('stays in use when its address redirects to another host', async () => {
    await using stage = await openWithCrl();
    const { directory, pass } = stage;
    directory.misbehaviour = (_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${directory.port}/own.crl` }).end();
    await pass(hour);
    expect(stage.events).toMatchObject([
      { action: 'crl_fetch_failed', detail: expect.stringContaining('redirected to another server') },
    ]);
    expect(directory.requests).toHaveLength(2);
    expect(crlNumbers(stage.revocation)).toEqual([5]);
  });

  it('is fetched with backoff, and the failure is reported once', async () => {
    await using stage = await openWithCrl();
    const { directory, pass, revocation } = stage;
    directory.misbehaviour = misbehaviours.fail;
    const asked: number[] = [];
    await pass(hour - 1000);
    for (let second = 0; second < 32; second++) {
      const seen = directory.requests.length;
      await pass(1000);
      if (directory.requests.length > seen) asked.push(second);
    }
    expect(asked).toEqual([0, 1, 3, 7, 15, 31]);
    expect(stage.actions()).toEqual(['crl_fetch_failed']);
    expect(revocation.sources()).toMatchObject([{ failures: 6 }]);
    directory.misbehaviour = (_request, response) => response.writeHead(500).end();
    await pass(32_000);
    expect(stage.actions()).toEqual(['crl_fetch_failed']);
    directory.misbehaviour = null;
    await pass(64_000);
    expect(stage.actions()).toEqual(['crl_confirmed']);
    expect(revocation.sources()).toMatchObject([{ failures: 0, problem: null }]);
  });

  it('is reported as expired, and its grace period as over, once each and on time', async () => {
    await using stage = await openWithCrl();
    const { directory, pass } = stage;
    directory.misbehaviour = misbehaviours.fail;
    await pass(day);
    expect(stage.actions()).toEqual(['crl_fetch_failed']);
    await pass(1);
    expect(stage.events).toMatchObject([
      {
        action: 'crl_stale',
        detail: expect.stringMatching(
          /^CRL [0-9a-f]{12}, number 5, expired at 2026-01-16T12:00:00\.000Z; it is still used for the grace/,
        ),
      },
    ]);
    stage.actions();
    await stage.revocation.update([stage.subject()]);
    await pass(day - 1);
    expect(stage.actions()).toEqual([]);
    await pass(1);
    expect(stage.actions()).toEqual(['crl_expired']);
    await pass(day);
    expect(stage.actions()).toEqual([]);
    expect(crlNumbers(stage.revocation), 'its revocations still count').toEqual([5]);
  });

  it('without nextUpdate is reported as stale at once, and as expired after its grace period', async () => {
    await using stage = await openStage();
    stage.directory.files.set('/own.crl', stage.crl({ number: 5, nextUpdate: null }).der);
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf({ crl: ['/own.crl'] }).der);
    await stage.pass(0);
    const began = '2026-01-15T11:59:00.000Z';
    expect(stage.events).toMatchObject([
      {
        action: 'crl_fetched',
        detail: expect.stringContaining('number 5, 0 entries, without nextUpdate, CRL '),
      },
      {
        action: 'crl_stale',
        detail: expect.stringContaining(
          `has no nextUpdate and counts as expired from its thisUpdate, ${began}, on; it is still used for`,
        ),
      },
    ]);
    expect(revocation.sources()).toMatchObject([{ nextUpdate: start - minute }]);
    stage.actions();
    await stage.pass(day - minute);
    expect(stage.actions()).toEqual([]);
    await stage.pass(minute);
    expect(stage.actions()).toEqual(['crl_expired']);
  });

  it('has the same id in its events as in a denial', async () => {
    await using stage = await openStage({ grace: 0 });
    const leaf = stage.leaf({ crl: ['/own.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5, revoked: [{ serial: leaf }] }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    await stage.pass(0);
    const detailOf = (action: string) => stage.events.find((event) => event.action === action)?.detail;
    const [, id] = /CRL ([0-9a-f]{12})$/.exec(detailOf('crl_fetched') ?? '') ?? [];
    const certificates = stage.certificatesOf(stage.own);
    const [root, issuing] = certificates;
    const judge = (der: Uint8Array) =>
      new RevocationCheck(revocation.material('own'), certificates).resultOf(
        [parseCertificate(der), issuing, root],
        stage.time.now,
      ).detail;
    const address = stage.url('/own.crl');
    expect(judge(leaf.der)).toContain(`according to CRL ${id} (number 5) of ${address}`);

    stage.directory.misbehaviour = misbehaviours.fail;
    await stage.pass(day + 1);
    expect(stage.actions()).toContain('crl_expired');
    const other = stage.leaf({ crl: ['/own.crl'] });
    expect(judge(other.der)).toMatch(
      new RegExp(
        `: the CRLs expired at 2026-01-16T12:00:00\\.000Z, and the grace period has passed too: ${address}: CRL ${id}, number 5, until 2026-01-16T12:00:00\\.000Z, and the last attempt failed: the server answered 503$`,
      ),
    );
  });

  it('is replaced by the CRL of another CA after its grace period', async () => {
    await using stage = await openWithCrl();
    stage.directory.misbehaviour = misbehaviours.fail;
    await stage.pass(2 * day + hour);
    stage.directory.misbehaviour = null;
    stage.directory.files.set('/own.crl', stage.crl({ issuer: stage.own.root, number: 1 }).der);
    await stage.pass(hour);
    expect(crlNumbers(stage.revocation)).toEqual([1]);
  });
});

describe('a refresh', () => {
  it('uses a newer CRL and reports the change', async () => {
    await using stage = await openWithCrl();
    stage.directory.files.set(
      '/own.crl',
      stage.crl({ number: 6, revoked: [{ serial: stage.revocable }] }).pem,
    );
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_fetched']);
    expect(stage.changed).toEqual(['own']);
    expect(crlNumbers(stage.revocation)).toEqual([6]);
    expect(stage.revocation.sources()).toMatchObject([{ number: '6', entries: 1, fetchedAt: start + hour }]);
  });

  it('is conditional, and confirms the CRL in use without an event', async () => {
    await using stage = await openWithCrl();
    const before = stage.revocation.material('own');
    await stage.pass(hour);
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(stage.revocation.sources()).toMatchObject([{ fetchedAt: start + hour }]);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.actions()).toEqual([]);
    expect(stage.changed).toEqual([]);
  });

  it('from a server that ignores conditions confirms the same CRL too', async () => {
    await using stage = await openWithCrl();
    const { der } = stage.crl({ number: 5 });
    stage.directory.files.set('/own.crl', der);
    await stage.pass(hour);
    stage.actions();
    stage.changed.length = 0;
    stage.directory.misbehaviour = (_request, response) => response.end(der);
    const before = stage.revocation.material('own');
    await stage.pass(hour);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.revocation.sources()).toMatchObject([{ fetchedAt: start + 2 * hour }]);
    expect([stage.actions(), stage.changed]).toEqual([[], []]);
  });

  it('comes before the CRL in use expires', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ nextUpdate: start + 20 * minute }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    await stage.pass(19 * minute - 1);
    expect(stage.directory.requests).toHaveLength(1);
    await stage.pass(1);
    expect(stage.directory.requests).toHaveLength(2);
  });

  it('from a source that keeps serving an expired CRL backs off', async () => {
    await using stage = await openWithCrl();
    await stage.pass(day);
    stage.directory.requests.length = 0;
    await stage.pass(2 * hour);
    // 1 s doubled up to an hour: twelve times.
    expect(stage.directory.requests.length).toBeLessThanOrEqual(14);
    expect(stage.directory.requests.length).toBeGreaterThanOrEqual(10);
  });

  it('follows a shorter interval as soon as the policy has one', async () => {
    await using stage = await openWithCrl();
    await stage.revocation.update([stage.subject({ refresh: minute })]);
    await stage.pass(minute);
    expect(stage.directory.requests).toHaveLength(2);
  });
});
