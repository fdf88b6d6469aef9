/** Copies of CRLs on disk, and CRL files that the operator provides. */
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { distributionPoints } from '../../support/revocation/crl.ts';
import { crlNumbers, hour, openStage, openWithCrl } from '../../support/revocation/stage.ts';
import { misbehaviours } from '../../support/trust/directory.ts';

describe('a restart', () => {
  it('uses the CRL on disk before anything is fetched, and then fetches conditionally', async () => {
    await using stage = await openWithCrl();
    await stage.revocation.close();
    stage.directory.misbehaviour = misbehaviours.fail;
    const restarted = await stage.open();
    expect(crlNumbers(restarted)).toEqual([5]);
    expect(restarted.material('own').leaves).toHaveLength(1);
    expect(stage.actions()).toEqual(['crl_from_cache']);
    expect(stage.directory.requests).toHaveLength(1);
    stage.directory.misbehaviour = null;
    await stage.pass(1000);
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(stage.actions()).toEqual([]);
  });

  it('never accepts an older CRL than the one on disk', async () => {
    await using stage = await openWithCrl();
    await stage.revocation.close();
    stage.directory.files.set('/own.crl', stage.crl({ number: 4 }).der);
    const restarted = await stage.open();
    await stage.pass(1000);
    expect(stage.actions()).toEqual(['crl_from_cache', 'crl_refused']);
    expect(crlNumbers(restarted)).toEqual([5]);
  });

  it('refuses a corrupted copy, and fetches the CRL in full', async () => {
    await using stage = await openWithCrl();
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

  it('finds files that only their owner can read, and no drafts', async () => {
    await using stage = await openWithCrl();
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
  it('is reported once, and the CRL is used from memory', async () => {
    await using stage = await openStage();
    // A file instead of the folder, so that even root cannot write.
    await mkdir(stage.cacheDir);
    await writeFile(join(stage.cacheDir, 'crl'), '');
    await writeFile(join(stage.cacheDir, 'leaves'), '');
    const leaf = stage.leaf({ crl: ['/own.crl', '/other.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
    stage.directory.files.set('/other.crl', stage.crl({ number: 5 }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(crlNumbers(revocation)).toEqual([5, 5]);
    expect(stage.actions().filter((action) => action === 'cache_failed')).toHaveLength(1);
    stage.directory.files.set('/own.crl', stage.crl({ number: 6 }).der);
    await stage.pass(hour);
    expect(crlNumbers(revocation)).toEqual([6, 5]);
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

  it('is read before the service is open, and again when a rename replaces it', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).pem);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    expect(crlNumbers(revocation)).toEqual([1]);
    const next = `${stage.file}.next`;
    await writeFile(next, stage.crl({ number: 2 }).der);
    await rename(next, stage.file);
    await stage.pass(5000);
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_fetched']);
  });

  it('is read again on an update, without waiting', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).der);
    const subject = stage.subject({ crl: [stage.file] });
    const revocation = await stage.open([subject]);
    await writeFile(stage.file, stage.crl({ number: 2 }).der);
    await revocation.update([subject]);
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(stage.changed).toEqual(['own', 'own']);
  });

  it('that is incomplete leaves the last good CRL in use until it is complete', async () => {
    await using stage = await openWithFile(null);
    await writeFile(stage.file, stage.crl({ number: 1 }).der);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    const { der } = stage.crl({ number: 2 });
    await writeFile(stage.file, der.subarray(0, 100));
    await stage.pass(5000);
    await stage.pass(5000);
    expect(crlNumbers(revocation)).toEqual([1]);
    expect(revocation.sources()).toMatchObject([{ problem: expect.stringContaining('not a CRL') }]);
    await writeFile(stage.file, der);
    await stage.pass(5000);
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_refused', 'crl_fetched']);
  });

  it('that does not exist is reported, and read when it appears', async () => {
    await using stage = await openWithFile(null);
    const revocation = await stage.open([stage.subject({ crl: [stage.file] })]);
    expect(stage.events).toMatchObject([
      { action: 'crl_fetch_failed', address: stage.file, detail: 'the file cannot be read: ENOENT' },
    ]);
    await writeFile(stage.file, stage.crl().der);
    await stage.pass(5000);
    expect(crlNumbers(revocation)).toEqual([1]);
  });

  it('is never read because a certificate names it', async () => {
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

it('deletes the copies of addresses that are no longer used, and nothing else', async () => {
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
