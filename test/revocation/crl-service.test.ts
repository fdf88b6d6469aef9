/** CRLs through the service: what takes the last good one's place, and what never does. */
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/authority.ts';
import { distributionPoints, issueCrl } from '../support/crl.ts';
import { misbehaviours } from '../support/directory.ts';
import { day, hour, minute, openStage, type Stage, start } from '../support/revocation-stage.ts';

const stranger = authority({ now: start });

/** A stage whose service has taken CRL number 5, and nothing told yet. */
async function openWithGood() {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const leaf = stage.leaf({ crl: ['/own.crl'] });
  stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
  const revocation = await stage.open();
  await revocation.contact('own', leaf.der);
  await stage.pass(0);
  expect(stage.actions()).toEqual(['crl_fetched']);
  stage.changed.length = 0;
  const stack = opened.move();
  return { ...stage, revocable: leaf, revocation, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const numbers = (revocation: Awaited<ReturnType<Stage['open']>>) =>
  revocation.material('own').crls.map(({ number }) => Number(number));

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
      'breaks off',
      ({ directory }) => {
        directory.misbehaviour = misbehaviours.cut;
      },
      'crl_fetch_failed',
      'ECONNRESET',
    ],
    ['serves a page', serve(() => '<html>Sign in</html>'), 'crl_refused', 'neither DER nor PEM'],
    [
      'serves half of one',
      serve((stage) => stage.crl({ number: 6 }).der.subarray(0, 200)),
      'crl_refused',
      'not a CRL',
    ],
    [
      'serves one by another key in the same name',
      serve((stage) => stage.crl({ number: 6, issuer: stranger.issuing }).der),
      'crl_refused',
      'not signed by',
    ],
    [
      'serves one by somebody else',
      serve(
        (stage) =>
          issueCrl({
            issuer: authority({ now: start, name: 'Other' }).issuing,
            thisUpdate: stage.time.now,
            nextUpdate: stage.time.now + day,
          }).der,
      ),
      'crl_refused',
      'no known certificate',
    ],
    [
      'serves an older one',
      serve((stage) => stage.crl({ number: 4 }).der),
      'crl_refused',
      'rolled back: CRL number 4 after 5',
    ],
    [
      'serves one that ended longer than the grace ago',
      serve(
        (stage) => stage.crl({ number: 6, thisUpdate: start - 3 * day, nextUpdate: start - 2 * day }).der,
      ),
      'crl_refused',
      'expired: at 2026-01-13',
    ],
    [
      'serves one of the time to come',
      serve((stage) => stage.crl({ number: 6, thisUpdate: start + day, nextUpdate: start + 2 * day }).der),
      'crl_refused',
      'not yet valid',
    ],
    [
      'serves the CRL of a sibling',
      serve((stage) => stage.crl({ issuer: stage.own.root, number: 9 }).der),
      'crl_refused',
      'another series',
    ],
    [
      'serves a delta CRL in its place',
      serve((stage) => stage.crl({ number: 6, baseNumber: 5 }).der),
      'crl_refused',
      'another series',
    ],
  ])('stays when its address %s', async (_, prepare, action, detail) => {
    await using stage = await openWithGood();
    const { revocation, url, pass } = stage;
    const before = revocation.material('own');
    prepare(stage);
    await pass(hour);
    expect(stage.events).toMatchObject([
      { action, anchor: 'own', address: url('/own.crl'), detail: expect.stringContaining(detail) },
    ]);
    expect(revocation.material('own')).toBe(before);
    expect(stage.changed).toEqual([]);
    expect(revocation.sources()).toMatchObject([
      {
        ...{ kind: 'crl', address: url('/own.crl'), number: '5', entries: 0, fetchedAt: start },
        ...{ failures: 1, problem: expect.stringContaining(detail) },
      },
    ]);
  });

  it('stays when its address sends us to another host', async () => {
    await using stage = await openWithGood();
    const { directory, pass } = stage;
    directory.misbehaviour = (_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${directory.port}/own.crl` }).end();
    await pass(hour);
    expect(stage.events).toMatchObject([
      { action: 'crl_fetch_failed', detail: expect.stringContaining('redirected elsewhere') },
    ]);
    expect(directory.requests).toHaveLength(2);
    expect(numbers(stage.revocation)).toEqual([5]);
  });

  it('is asked for more and more slowly, and its problem told once', async () => {
    await using stage = await openWithGood();
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

  it('is said to have ended, and that its grace has, once each and on time', async () => {
    await using stage = await openWithGood();
    const { directory, pass } = stage;
    directory.misbehaviour = misbehaviours.fail;
    await pass(day);
    expect(stage.actions()).toEqual(['crl_fetch_failed']);
    await pass(1);
    expect(stage.events).toMatchObject([
      { action: 'crl_stale', detail: 'it ended at 2026-01-16T12:00:00.000Z' },
    ]);
    stage.actions();
    await pass(day - 1);
    expect(stage.actions()).toEqual([]);
    await pass(1);
    expect(stage.actions()).toEqual(['crl_expired']);
    await pass(day);
    expect(stage.actions()).toEqual([]);
    expect(numbers(stage.revocation), 'it still tells of revocations').toEqual([5]);
  });

  it('gives way to a sibling’s when its grace has passed', async () => {
    await using stage = await openWithGood();
    stage.directory.misbehaviour = misbehaviours.fail;
    await stage.pass(2 * day + hour);
    stage.directory.misbehaviour = null;
    stage.directory.files.set('/own.crl', stage.crl({ issuer: stage.own.root, number: 1 }).der);
    await stage.pass(hour);
    expect(numbers(stage.revocation)).toEqual([1]);
  });
});

describe('a refresh', () => {
  it('takes a newer CRL and tells its user', async () => {
    await using stage = await openWithGood();
    stage.directory.files.set(
      '/own.crl',
      stage.crl({ number: 6, revoked: [{ serial: stage.revocable }] }).pem,
    );
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_fetched']);
    expect(stage.changed).toEqual(['own']);
    expect(numbers(stage.revocation)).toEqual([6]);
    expect(stage.revocation.sources()).toMatchObject([{ number: '6', entries: 1, fetchedAt: start + hour }]);
  });

  it('asks conditionally, and confirms what is in use without telling anyone', async () => {
    await using stage = await openWithGood();
    const before = stage.revocation.material('own');
    await stage.pass(hour);
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(stage.revocation.sources()).toMatchObject([{ fetchedAt: start + hour }]);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.actions()).toEqual([]);
    expect(stage.changed).toEqual([]);
  });

  it('of a server that knows no conditions confirms the same CRL as well', async () => {
    await using stage = await openWithGood();
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

  it('comes before the CRL in use ends', async () => {
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

  it('of a source that goes on serving what has ended slows down', async () => {
    await using stage = await openWithGood();
    await stage.pass(day);
    stage.directory.requests.length = 0;
    await stage.pass(2 * hour);
    // 1 s doubled up to an hour: twelve times, and not every second.
    expect(stage.directory.requests.length).toBeLessThanOrEqual(14);
    expect(stage.directory.requests.length).toBeGreaterThanOrEqual(10);
  });

  it('takes a shorter pause as soon as the policy has one', async () => {
    await using stage = await openWithGood();
    await stage.revocation.update([stage.subject({ refresh: minute })]);
    await stage.pass(minute);
    expect(stage.directory.requests).toHaveLength(2);
  });
});

describe('a restart', () => {
  it('takes the CRL from the disk before anything is fetched, and then asks conditionally', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    stage.directory.misbehaviour = misbehaviours.fail;
    const restarted = await stage.open();
    expect(numbers(restarted)).toEqual([5]);
    expect(restarted.material('own').leaves).toHaveLength(1);
    expect(stage.actions()).toEqual(['crl_from_cache']);
    expect(stage.directory.requests).toHaveLength(1);
    stage.directory.misbehaviour = null;
    await stage.pass(1000);
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(stage.actions()).toEqual([]);
  });

  it('never takes an older one than that on disk', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    stage.directory.files.set('/own.crl', stage.crl({ number: 4 }).der);
    const restarted = await stage.open();
    await stage.pass(1000);
    expect(stage.actions()).toEqual(['crl_from_cache', 'crl_refused']);
    expect(numbers(restarted)).toEqual([5]);
  });

  it('refuses a copy that was spoilt, and fetches all of it anew', async () => {
    await using stage = await openWithGood();
    await stage.revocation.close();
    const folder = join(stage.cacheDir, 'crl', 'own');
    const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.crl'));
    await writeFile(join(folder, file), '<html>');
    const restarted = await stage.open();
    await stage.until(() => restarted.material('own').crls.length === 1);
    expect(stage.events).toMatchObject([
      { action: 'crl_refused', detail: expect.stringMatching(/^from the cache: /) },
      { action: 'crl_fetched' },
    ]);
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('finds files for their owner alone, and no drafts', async () => {
    await using stage = await openWithGood();
    stage.directory.files.set('/own.crl', '<html>');
    await stage.pass(hour);
    const folder = join(stage.cacheDir, 'crl', 'own');
    const files = await readdir(folder);
    expect(files.map((name) => name.replace(/^[0-9a-f]{64}/, '')).sort()).toEqual(['.crl', '.json']);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });
});

describe('a cache that cannot be written', () => {
  it('is told of once, and the CRL is used from memory', async () => {
    await using stage = await openStage();
    // A file where the folder should be, which not even root can write into.
    await mkdir(stage.cacheDir);
    await writeFile(join(stage.cacheDir, 'crl'), '');
    await writeFile(join(stage.cacheDir, 'leaves'), '');
    const leaf = stage.leaf({ crl: ['/own.crl', '/other.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
    stage.directory.files.set('/other.crl', stage.crl({ number: 5 }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(numbers(revocation)).toEqual([5, 5]);
    expect(stage.actions().filter((action) => action === 'cache_failed')).toHaveLength(1);
    stage.directory.files.set('/own.crl', stage.crl({ number: 6 }).der);
    await stage.pass(hour);
    expect(numbers(revocation)).toEqual([6, 5]);
    expect(stage.actions()).toEqual(['crl_fetched']);
  });
});

describe('a CRL from a file', () => {
  async function openWithFile(contents: string | Uint8Array | null) {
    await using opened = new AsyncDisposableStack();
    const stage = opened.use(await openStage());
    const file = join(stage.folder, 'own.crl');
    if (contents !== null) await writeFile(file, contents);
    const stack = opened.move();
    return { ...stage, file, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('is read before the service is open, and again when it is replaced by a rename', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).pem);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    expect(numbers(revocation)).toEqual([1]);
    const next = `${stage.file}.next`;
    await writeFile(next, stage.crl({ number: 2 }).der);
    await rename(next, stage.file);
    await stage.pass(5000);
    expect(numbers(revocation)).toEqual([2]);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_fetched']);
  });

  it('is read again on an update, without waiting', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).der);
    const subject = stage.subject({ crl: [stage.file] });
    const revocation = await stage.open([subject]);
    await writeFile(stage.file, stage.crl({ number: 2 }).der);
    await revocation.update([subject]);
    expect(numbers(revocation)).toEqual([2]);
    expect(stage.changed).toEqual(['own', 'own']);
  });

  it('that is half written keeps the last good one, until it is whole', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).der);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    const { der } = stage.crl({ number: 2 });
    await writeFile(stage.file, der.subarray(0, 100));
    await stage.pass(5000);
    await stage.pass(5000);
    expect(numbers(revocation)).toEqual([1]);
    expect(revocation.sources()).toMatchObject([{ problem: expect.stringContaining('not a CRL') }]);
    await writeFile(stage.file, der);
    await stage.pass(5000);
    expect(numbers(revocation)).toEqual([2]);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_refused', 'crl_fetched']);
  });

  it('that is not there is told of, and read when it comes', async () => {
    await using stage = await openWithFile(null);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    expect(stage.events).toMatchObject([
      { action: 'crl_fetch_failed', address: stage.file, detail: 'ENOENT' },
    ]);
    await writeFile(stage.file, stage.crl().der);
    await stage.pass(5000);
    expect(numbers(revocation)).toEqual([1]);
  });

  it('is never one that a certificate points at', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl().der);
    const revocation = await stage.open();
    for (const address of [stage.file, `file://${stage.file}`]) {
      const leaf = stage.own.issueClient({ extensions: [distributionPoints([{ urls: [address] }])] });
      await revocation.contact('own', leaf.der);
    }
    expect(revocation.sources()).toEqual([]);
    expect(stage.actions()).toEqual(['address_skipped', 'address_skipped']);
  });
});

describe('a delta CRL', () => {
  it('is found by the CRL that is in use, and a first contact waits for it', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'] });
    const freshest = distributionPoints([{ urls: [stage.url('/delta.crl')] }], { freshest: true });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5, extensions: [freshest] }).der);
    const delta = stage.crl({ number: 6, baseNumber: 5, revoked: [{ serial: leaf }] });
    stage.directory.files.set('/delta.crl', delta.der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(numbers(revocation)).toEqual([5, 6]);
    await revocation.close();

    const restarted = await stage.open();
    expect(numbers(restarted), 'from the disk alone').toEqual([5, 6]);
  });

  it('is found by the certificate', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'], freshest: ['/delta.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
    stage.directory.files.set('/delta.crl', stage.crl({ number: 6, baseNumber: 5 }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(numbers(revocation)).toEqual([5, 6]);
  });

  it('is not looked for where the addresses are configured', async () => {
    await using stage = await openStage();
    const freshest = distributionPoints([{ urls: [stage.url('/delta.crl')] }], { freshest: true });
    stage.directory.files.set('/own.crl', stage.crl({ extensions: [freshest] }).der);
    const revocation = await stage.open([stage.subject({ crl: [stage.url('/own.crl')] })]);
    await stage.told('crl_fetched');
    const leaf = stage.leaf({ crl: ['/leaf.crl'] });
    await revocation.contact('own', leaf.der);
    expect(stage.directory.requests.map(({ path }) => path)).toEqual(['/own.crl']);
  });
});

describe('the certificates of an anchor', () => {
  it('may change: what their keys no longer sign goes, what they sign now is fetched', async () => {
    await using stage = await openWithGood();
    const other = stage.certificatesOf(stranger);
    stage.directory.files.set('/own.crl', stage.crl({ issuer: stranger.issuing, number: 1 }).der);
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_refused']);
    const crl = [stage.url('/own.crl')];
    await stage.revocation.update([stage.subject({ crl }, other)]);
    expect(stage.revocation.material('own').crls).toEqual([]);
    await stage.told('crl_fetched');
    expect(numbers(stage.revocation)).toEqual([1]);
    expect(stage.revocation.material('own').leaves, 'the leaf is of the other issuer').toEqual([]);
  });

  it('may grow: a CRL that nobody could have signed is fetched again at once', async () => {
    await using stage = await openStage();
    const [root] = stage.certificatesOf(stage.own);
    stage.directory.files.set('/own.crl', stage.crl().der);
    const crl = [stage.url('/own.crl')];
    const revocation = await stage.open([stage.subject({ crl }, [root])]);
    await stage.told('crl_refused');
    await revocation.update([stage.subject({ crl })]);
    await stage.told('crl_fetched');
    expect(numbers(revocation)).toEqual([1]);
  });

  it('may gain a key: a file that was refused for its sake is read again', async () => {
    await using stage = await openStage();
    const file = join(stage.folder, 'own.crl');
    await writeFile(file, stage.crl({ number: 1 }).der);
    const revocation = await stage.open([stage.subject({ crl: [file] })]);
    await writeFile(file, stage.crl({ number: 2, issuer: stranger.issuing }).der);
    await stage.pass(5000);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_refused']);
    const [root, issuing] = stage.certificatesOf(stage.own);
    const renewed = parseCertificate(stranger.issuing.der);
    await revocation.update([stage.subject({ crl: [file] }, [root, issuing, renewed])]);
    expect(numbers(revocation)).toEqual([2]);
  });

  it('that stay the same leave every CRL in its place', async () => {
    await using stage = await openWithGood();
    const before = stage.revocation.material('own');
    const [, issuing] = stage.certificatesOf(stage.own);
    await stage.revocation.update([stage.subject()]);
    expect(stage.revocation.material('own')).toBe(before);
    const sibling = parseCertificate(stranger.root.der);
    await stage.revocation.update([
      stage.subject({}, [parseCertificate(stage.own.root.der), issuing, sibling]),
    ]);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.directory.requests).toHaveLength(1);
  });
});

it('keeps one table of a CRL that several addresses serve', async () => {
  await using stage = await openStage();
  const { der } = stage.crl();
  for (const path of ['/a.crl', '/b.crl']) stage.directory.files.set(path, der);
  const revocation = await stage.open();
  await revocation.contact('own', stage.leaf({ crl: ['/a.crl', '/b.crl'] }).der);
  expect(revocation.material('own').crls).toHaveLength(1);
  expect(revocation.sources()).toHaveLength(2);
});

it('forgets on disk what nobody wants any more, and nothing else', async () => {
  await using stage = await openStage();
  for (const path of ['/a.crl', '/b.crl']) stage.directory.files.set(path, stage.crl().der);
  const urls = [stage.url('/a.crl'), stage.url('/b.crl')];
  const revocation = await stage.open([stage.subject({ crl: urls })]);
  await stage.pass(0);
  await revocation.update([stage.subject({ crl: urls.slice(0, 1) })]);
  const folder = join(stage.cacheDir, 'crl', 'own');
  const facts = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  expect(facts).toHaveLength(1);
  expect(JSON.parse(await readFile(join(folder, facts[0] ?? ''), 'utf8'))).toMatchObject({ url: urls[0] });
  await revocation.update([]);
  expect(await readdir(folder)).toHaveLength(2);
});
