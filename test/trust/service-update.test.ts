/** New settings while the service runs: applied completely or not at all, without a gap for anchors that stay. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnchorCache } from '../../src/trust/disk-cache.ts';
import { authority } from '../support/pki/authority.ts';
import {
  day,
  ders,
  filesOf,
  now,
  openStore,
  openWarmStore,
  own,
  serve,
  sha256,
  stranger,
} from '../support/trust/anchor-store.ts';
import { misbehaviours } from '../support/trust/directory.ts';

const all = ({ root, issuing }: typeof own) => [root.der, issuing.der];

/** A running service, with the events of its start removed. */
async function openRunning(options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options);
  const trust = await store.open();
  store.actions();
  store.changed();
  store.directory.requests.length = 0;
  return Object.assign(store, { trust });
}

async function writeAnchor(folder: string, name: string, { anchorPem }: typeof own) {
  await writeFile(join(folder, `${name}.pem`), anchorPem);
  return { name, files: [join(folder, `${name}.pem`)] };
}

it('reports the certificates of the start as the first change', async () => {
  await using store = await openStore();
  const trust = await store.open();
  const [{ added, removed, ...event }] = store.changes as [(typeof store.changes)[0]];
  expect(event).toEqual({ type: 'trust', action: 'changed', anchor: 'own', detail: 'at the start' });
  expect(removed).toEqual([]);
  expect(added).toMatchObject([
    { anchor: 'own', sha256: sha256(own), source: `${store.directory.origin}/root.pem` },
    { anchor: 'own', source: `${store.directory.origin}/issuing.pem` },
  ]);
  expect(trust.states()[0]?.origins.get(sha256(own))).toBe(`${store.directory.origin}/root.pem`);
});

describe('an unchanged anchor from URLs', () => {
  it('keeps its state and its timer, and is not fetched', async () => {
    await using store = await openRunning();
    const [before] = store.trust.states();
    const [timer] = store.timers.pending;
    store.clock.now += day;
    expect((await store.trust.update(store.settings()))[0]).toBe(before);
    expect(store.timers.pending).toEqual([timer]);
    expect(store.timers.pending[0]).toBe(timer);
    expect(store.directory.requests).toEqual([]);
    expect([store.actions(), store.changed(), store.published]).toEqual([[], [], []]);
  });

  it('stays in use although its cache was deleted and cannot be written, also if its pin is spelled differently', async () => {
    await using store = await openRunning({ anchor: { rootSha256: sha256(own) } });
    await rm(store.cacheDir, { recursive: true });
    await writeFile(store.cacheDir, 'a file where a folder should be');
    const rootSha256 = sha256(own)
      .toUpperCase()
      .replaceAll(/..(?!$)/g, '$&:');
    expect(ders(store.trust)).toEqual([all(own)]);
    await store.trust.update(store.settings({ anchor: { rootSha256 } }));
    expect(ders(store.trust)).toEqual([all(own)]);
    expect([store.actions(), store.directory.requests]).toEqual([[], []]);
  });

  it('stays available while another one is fetched, as does one that is to be removed', async () => {
    await using store = await openRunning();
    const leaving = await writeAnchor(store.folder, 'leaving', stranger);
    await store.trust.update({ ...store.settings(), anchors: [store.configured, leaving] });
    const asked = Promise.withResolvers<ServerResponse>();
    store.directory.misbehaviour = (_, response) => asked.resolve(response);
    const cold = { ...store.configured, name: 'cold', urls: [`${store.directory.origin}/chain.pem`] };
    const updating = store.trust.update({ ...store.settings(), anchors: [cold, store.configured] });
    const response = await asked.promise;
    expect(store.trust.states().map(({ name }) => name)).toEqual(['own', 'leaving']);
    response.end(stranger.anchorPem);
    expect((await updating).map(({ name }) => name)).toEqual(['cold', 'own']);
  });

  it('is saved to a changed cache folder', async () => {
    await using store = await openRunning();
    const cacheDir = join(store.folder, 'elsewhere');
    await store.trust.update(store.settings({ cacheDir }));
    expect(await readFile(join(cacheDir, 'own.json'))).toEqual(await readFile(store.cacheFile));
    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    const urls = store.configured.urls as readonly string[];
    const cache = new AnchorCache({ cacheDir, list: 'anchors', name: 'own', urls });
    expect(await cache.loadPending()).toMatchObject({ rootSha256: sha256(stranger) });
  });

  it('is fetched sooner if the refresh is shorter; otherwise its timer stays', async () => {
    let chance = 0;
    await using store = await openRunning({ random: () => chance });
    const [timer] = store.timers.pending;
    chance = 0.5;
    for (const refresh of [3_600_000, 7_200_000]) {
      await store.trust.update(store.settings({ refresh }));
      expect(store.timers.pending[0]).toBe(timer);
    }
    chance = 0;
    await store.trust.update(store.settings({ refresh: 60_000 }));
    expect(store.timers.pending).toMatchObject([{ milliseconds: 60_000 }]);
    await store.timers.fire();
    expect(store.timers.pending).toMatchObject([{ milliseconds: 60_000 }]);
  });

  it('uses no set during the change that the old or the new check refuses', async () => {
    const not = (count: number) => (anchor: { certificates: readonly unknown[] }) =>
      anchor.certificates.length === count ? `not ${count}` : null;
    await using store = await openRunning({ accept: not(1) });
    const asked = Promise.withResolvers<ServerResponse>();
    store.directory.misbehaviour = (_, response) => asked.resolve(response);
    const cold = { ...store.configured, name: 'cold', urls: [`${store.directory.origin}/chain.pem`] };
    const updating = store.trust.update({
      ...store.settings({ accept: not(3) }),
      anchors: [store.configured, cold],
    });
    const response = await asked.promise;
    store.directory.misbehaviour = null;
    const { issuing } = authority({ now, root: { key: own.root.privateKey }, name: 'Example' });
    for (const served of [own.root.pem, own.issuing.pem + issuing.pem]) {
      serve(store.directory, { '/issuing.pem': served });
      await store.timers.fire();
    }
    expect(store.events).toMatchObject([
      { action: 'refused', detail: 'not 1' },
      { action: 'refused', detail: 'not 3' },
    ]);
    response.end(stranger.anchorPem);
    expect(await updating).toHaveLength(2);
  });

  it('must pass the new check from then on', async () => {
    await using store = await openRunning();
    await store.trust.update(
      store.settings({ accept: ({ certificates }) => (certificates.length > 1 ? null : 'too few') }),
    );
    serve(store.directory, { '/issuing.pem': own.root.pem });
    await store.timers.fire();
    expect(store.events).toMatchObject([{ action: 'refused', detail: 'too few' }]);
    await store.trust.update(store.settings());
    await store.timers.fire();
    expect(ders(store.trust)).toEqual([[own.root.der]]);
  });
});

describe('settings are refused completely', () => {
  it('if the new check refuses an anchor in use', async () => {
    await using store = await openRunning();
    const added = await writeAnchor(store.folder, 'added', stranger);
    const settings = store.settings({ accept: ({ name }) => (name === 'own' ? 'refused' : null) });
    const update = store.trust.update({ ...settings, anchors: [added, store.configured] });
    await expect(update).rejects.toMatchObject({
      code: 'TRUST',
      problems: [{ path: 'trust.anchors[1]', found: 'refused' }],
    });
    expect(ders(store.trust)).toEqual([all(own)]);
    expect([store.actions(), store.changed()]).toEqual([[], []]);
    await store.timers.fire();
    expect(store.actions(), 'the old check applies').toEqual([]);
  });

  it('if a file has a problem, in any position, and nothing is fetched', async () => {
    await using store = await openRunning();
    const good = await writeAnchor(store.folder, 'good', stranger);
    const broken = { name: 'broken', files: [join(store.folder, 'broken.pem')] };
    await writeFile(broken.files[0] as string, '<html>');
    const cold = { ...store.configured, name: 'cold' };
    for (let position = 0; position < 4; position++) {
      const anchors = [good, store.configured, cold].toSpliced(position, 0, broken as typeof good);
      await expect(store.trust.update({ ...store.settings(), anchors })).rejects.toMatchObject({
        problems: [{ path: `trust.anchors[${position}].files[0]` }],
      });
    }
    expect(store.trust.states().map(({ name }) => name)).toEqual(['own']);
    expect([store.actions(), store.changed(), store.directory.requests]).toEqual([[], [], []]);
    expect(store.timers.pending).toHaveLength(1);
  });

  it('if a required pin is missing', async () => {
    await using store = await openRunning();
    await expect(store.trust.update(store.settings({ requirePin: true }))).rejects.toMatchObject({
      code: 'TRUST',
    });
    expect(ders(store.trust)).toEqual([all(own)]);
  });
});

describe('an anchor', () => {
  it('that is new is used from the cache at once, and fetched within a second', async () => {
    await using store = await openWarmStore();
    const trust = await store.open({ anchors: [await writeAnchor(store.folder, 'file', stranger)] });
    store.changed();
    store.directory.requests.length = 0;
    const anchors = [await writeAnchor(store.folder, 'file', stranger), store.configured];
    await trust.update({ ...store.settings(), anchors });
    expect(ders(trust)).toEqual([all(stranger), all(own)]);
    expect(store.directory.requests).toEqual([]);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    expect(store.changed()).toMatchObject([{ anchor: 'own', detail: 'by the configuration', removed: [] }]);
    expect(store.published, 'the result of the call reports it').toEqual([]);
  });

  it('that is new and not in the cache is fetched first; if that fails, it is missing until a fetch succeeds', async () => {
    await using store = await openRunning();
    const cold = { ...store.configured, name: 'cold' };
    store.directory.misbehaviour = misbehaviours.fail;
    await store.trust.update({ ...store.settings(), anchors: [store.configured, cold] });
    expect(ders(store.trust)).toEqual([all(own)]);
    store.directory.misbehaviour = null;
    for (let round = 0; round < 2; round++) await store.timers.fire();
    expect(ders(store.trust)).toEqual([all(own), all(own)]);
    expect(store.published).toEqual([store.trust.states()]);
    expect(store.actions()).toEqual(['fetch_failed', 'trust_on_first_use']);
  });

  it('that is removed has no timer, no fetch and no events any more', async () => {
    await using store = await openRunning();
    const file = await writeAnchor(store.folder, 'file', stranger);
    store.directory.misbehaviour = misbehaviours.hang;
    const fetching = store.timers.fire();
    await store.trust.update({ ...store.settings(), anchors: [file] });
    await fetching;
    expect(ders(store.trust)).toEqual([all(stranger)]);
    expect(store.timers.pending).toEqual([]);
    expect(store.actions()).toEqual([]);
    const [change] = store.changes;
    expect(change).toMatchObject({ anchor: null, detail: 'by the configuration' });
    expect(change?.removed).toMatchObject([{ anchor: 'own' }, { anchor: 'own' }]);
    expect(change?.added).toMatchObject([{ anchor: 'file', source: file.files[0] }, { anchor: 'file' }]);
  });

  it('from files is read again at every update', async () => {
    await using store = await openStore();
    const file = await writeAnchor(store.folder, 'file', own);
    const trust = await store.open({ anchors: [file] });
    store.changed();
    const { issuing } = authority({ now, root: { key: own.root.privateKey }, name: 'Example' });
    await writeFile(file.files[0] as string, own.root.pem + issuing.pem);
    expect(await trust.update({ ...store.settings(), anchors: [file] })).toEqual(trust.states());
    expect(ders(trust)).toEqual([[own.root.der, issuing.der]]);
    expect(store.changed()).toMatchObject([{ anchor: 'file', added: { length: 1 }, removed: { length: 1 } }]);
    await trust.update({ ...store.settings(), anchors: [file] });
    expect(store.changed(), 'the same again').toEqual([]);
  });

  it('with other URLs is trusted on first use again', async () => {
    await using store = await openRunning();
    serve(store.directory, { '/chain.pem': stranger.anchorPem });
    await store.trust.update(store.settings({ anchor: { urls: [`${store.directory.origin}/chain.pem`] } }));
    expect(ders(store.trust)).toEqual([all(stranger)]);
    expect(store.actions()).toEqual(['trust_on_first_use']);
    expect(store.timers.pending).toHaveLength(1);
  });

  it('with another CA for the server of its URLs stays in use, and is fetched within a second', async () => {
    await using store = await openRunning();
    const ca = join(store.folder, 'wrong.pem');
    await writeFile(ca, own.root.pem);
    await store.trust.update(store.settings({ anchor: { tls: { ca } } }));
    expect(ders(store.trust)).toEqual([all(own)]);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    await store.timers.fire();
    expect(store.actions()).toEqual(['fetch_failed']);
    expect(ders(store.trust)).toEqual([all(own)]);
  });
});

describe('a new pin', () => {
  it('of the root in use keeps it in use, as pinned', async () => {
    await using store = await openRunning();
    await rm(store.cacheDir, { recursive: true });
    store.directory.misbehaviour = misbehaviours.fail;
    const states = await store.trust.update(store.settings({ anchor: { rootSha256: sha256(own) } }));
    expect(states).toMatchObject([{ pinned: true, source: 'url', fetchedAt: now }]);
    expect([store.actions(), store.changed()]).toEqual([[], []]);
    await store.trust.update(store.settings());
    expect(store.trust.states()).toMatchObject([{ pinned: false }]);
    expect(store.changed()).toEqual([]);
  });

  it('of another root ends the use of the old root, and fetches', async () => {
    await using store = await openRunning();
    serve(store.directory, filesOf(stranger));
    await store.trust.update(store.settings({ anchor: { rootSha256: sha256(stranger) } }));
    expect(ders(store.trust)).toEqual([all(stranger)]);
    expect(store.actions()).toEqual(['refused', 'fetched']);
    expect(store.changed()).toMatchObject([
      { anchor: 'own', detail: 'by the configuration', added: { length: 2 }, removed: { length: 2 } },
    ]);
  });

  it('of another root is fetched once before the change, while the old root stays in use', async () => {
    await using store = await openRunning();
    const asked = Promise.withResolvers<ServerResponse>();
    store.directory.misbehaviour = (_, response) => asked.resolve(response);
    const updating = store.trust.update(store.settings({ anchor: { rootSha256: sha256(stranger) } }));
    const response = await asked.promise;
    expect(ders(store.trust)).toEqual([all(own)]);
    expect(store.timers.pending).toEqual([]);
    response.writeHead(503).end();
    expect(await updating).toEqual([]);
  });

  it('of a root that is not served leaves the anchor without certificates, and the old root stays known', async () => {
    await using store = await openRunning();
    await store.trust.update(store.settings({ anchor: { rootSha256: sha256(stranger) } }));
    expect(store.trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused', 'refused']);
    await store.trust.update(store.settings());
    expect(ders(store.trust), 'the pin is removed').toEqual([all(own)]);
    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    expect(store.actions()).toEqual(['from_cache', 'root_changed_refused']);
  });

  it('of the pending root uses the pending set, although the sources fail', async () => {
    await using store = await openRunning();
    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    store.actions();
    store.directory.misbehaviour = misbehaviours.fail;
    await store.trust.update(store.settings({ anchor: { rootSha256: sha256(stranger) } }));
    expect(ders(store.trust)).toEqual([all(stranger)]);
    expect(store.events).toMatchObject([
      { action: 'refused', sha256: sha256(own) },
      { action: 'approved', sha256: sha256(stranger) },
    ]);
  });
});

it('applies concurrent updates one after the other, in the order of the calls', async () => {
  await using store = await openRunning();
  const [a, b] = await Promise.all([
    writeAnchor(store.folder, 'a', own),
    writeAnchor(store.folder, 'b', stranger),
  ]);
  const cold = { ...store.configured, name: 'cold' };
  const done = await Promise.all([
    store.trust.update({ ...store.settings(), anchors: [a, cold] }),
    store.trust.update({ ...store.settings(), anchors: [b] }),
  ]);
  expect(done.map((states) => states.map(({ name }) => name))).toEqual([['a', 'cold'], ['b']]);
  expect(store.trust.states().map(({ name }) => name)).toEqual(['b']);
  expect(store.timers.pending).toEqual([]);
});

it('changes and reports nothing after the service is closed', async () => {
  await using store = await openRunning();
  store.directory.misbehaviour = misbehaviours.hang;
  const updating = store.trust.update(
    store.settings({ anchor: { urls: [`${store.directory.origin}/chain.pem`] } }),
  );
  store.trust.close();
  expect(await updating).toMatchObject([{ name: 'own' }]);
  expect([store.actions(), store.changed(), store.timers.pending]).toEqual([[], [], []]);
});
