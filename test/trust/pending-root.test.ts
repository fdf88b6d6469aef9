/** A changed root: it is pending, reported once, and used only after approval. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withColons } from '../../src/pki/fingerprint.ts';
import { AnchorCache, type StoredAnchor } from '../../src/trust/disk-cache.ts';
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

type Store = Awaited<ReturnType<typeof openStore>>;

const third = authority({ now });
const all = ({ root, issuing }: typeof own) => [root.der, issuing.der];

const cacheOf = (store: Store) =>
  new AnchorCache({
    cacheDir: store.cacheDir,
    list: 'anchors',
    name: 'own',
    urls: store.configured.urls as readonly string[],
  });
const files = async (store: Store, folder: string) => {
  try {
    return await readdir(join(store.cacheDir, folder));
  } catch {
    return [];
  }
};

/** A running service in which the root of `stranger` is pending. */
async function openPending(options: Parameters<typeof openStore>[0] = {}) {
  const store = await openStore(options);
  const trust = await store.open();
  serve(store.directory, filesOf(stranger));
  await store.timers.fire();
  return Object.assign(store, { trust });
}

describe('another root', () => {
  it('is kept as pending and reported once, not at every refresh', async () => {
    await using store = await openPending();
    const [, event] = store.events.splice(0);
    expect(event).toMatchObject({
      action: 'root_changed_refused',
      sha256: sha256(stranger),
      url: `${store.directory.origin}/root.pem`,
      detail: expect.stringMatching(
        `only ${withColons(sha256(own))} is accepted; it is pending until approved: see`,
      ),
    });
    expect(await cacheOf(store).loadPending()).toMatchObject({
      rootSha256: sha256(stranger),
      fetchedAt: now,
    });

    store.clock.now += day;
    for (let round = 0; round < 4; round++) await store.timers.fire();
    expect(store.actions()).toEqual([]);
    expect(await cacheOf(store).loadPending(), 'is still served').toMatchObject({ fetchedAt: now + day });
    expect(ders(store.trust)).toEqual([all(own)]);
    expect(store.published).toEqual([]);
    expect(store.changed()).toHaveLength(1);
  });

  it('is reported again if the set changes', async () => {
    await using store = await openPending();
    store.actions();
    serve(store.directory, filesOf(third));
    await store.timers.fire();
    expect(store.events.splice(0)).toMatchObject([{ action: 'root_changed_refused', sha256: sha256(third) }]);
    expect(await cacheOf(store).loadPending()).toMatchObject({ rootSha256: sha256(third) });
  });

  it.each([
    [
      'one of its CAs belongs to another root',
      { '/issuing.pem': own.issuing.pem },
      'no path leads to the root',
    ],
    ['the old root is served too', { '/issuing.pem': own.root.pem }, 'more than one root'],
  ])('is reported but not pending if %s', async (_what, further, problem) => {
    await using store = await openStore();
    await store.open();
    store.actions();
    serve(store.directory, { ...filesOf(stranger), ...further });
    await store.timers.fire();
    expect(store.events).toMatchObject([
      {
        action: 'root_changed_refused',
        detail: expect.stringMatching(`and the new set cannot be used anyway: .*${problem}`),
      },
    ]);
    expect(await files(store, 'pending')).toEqual([]);
  });

  it('is not pending if the final check refuses it', async () => {
    const refused = ({ certificates: [root] }: { certificates: readonly { sha256: string }[] }) =>
      root?.sha256 === sha256(stranger) ? 'not wanted' : null;
    await using store = await openPending({ accept: refused });
    expect(store.events.at(-1)).toMatchObject({
      detail: expect.stringMatching('and the new set cannot be used anyway: not wanted'),
    });
    expect(await files(store, 'pending')).toEqual([]);
  });

  it('stays pending while an unusable set is served, or none', async () => {
    await using store = await openPending();
    const problem = () => store.trust.sources()[0];
    expect(problem()).toMatchObject({
      hasPendingRoot: true,
      problem: expect.stringMatching(/^the sources serve another root, .*, which is not in use$/),
    });
    serve(store.directory, { '/issuing.pem': third.issuing.pem });
    await store.trust.refresh();
    store.directory.misbehaviour = misbehaviours.fail;
    await store.trust.refresh();
    expect(problem()).toMatchObject({ hasPendingRoot: true, problem: expect.stringContaining('https://') });
    store.directory.misbehaviour = null;
    serve(store.directory, filesOf(stranger));
    await store.trust.refresh();
    expect(problem()?.problem, 'although it is reported once only').toMatch(
      /^the sources serve another root/,
    );
    expect(await cacheOf(store).loadPending()).toMatchObject({ rootSha256: sha256(stranger) });
  });

  it('is deleted with its approval when the known root is served again', async () => {
    await using store = await openPending();
    store.actions();
    serve(store.directory, filesOf(own));
    await store.timers.fire();
    expect(store.trust.sources()).toMatchObject([{ hasPendingRoot: false, problem: null }]);
    expect(store.events.splice(0)).toMatchObject([{ action: 'pending_dropped', sha256: sha256(stranger) }]);
    expect([await files(store, 'pending'), await files(store, 'approved')]).toEqual([[], []]);

    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(await files(store, 'approved'), 'there is no pending root to approve').toEqual([]);
    expect(ders(store.trust)).toEqual([all(own)]);
    expect(store.actions()).toEqual([]);
  });
});

describe('an approval', () => {
  it('takes effect within a second, without a fetch, and reports the change', async () => {
    await using store = await openPending();
    await store.timers.fire(); // The pause after the first failure is also 1 s.
    store.actions();
    store.changed();
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    const asked = store.directory.requests.length;
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(store.directory.requests).toHaveLength(asked);

    expect(ders(store.trust)).toEqual([all(stranger)]);
    expect(store.trust.states()).toMatchObject([{ source: 'url', pinned: false, fetchedAt: now }]);
    expect(store.published).toEqual([store.trust.states()]);
    expect(store.events.splice(0)).toMatchObject([{ action: 'approved', sha256: sha256(stranger) }]);
    const [change] = store.changed();
    expect(change).toMatchObject({ anchor: 'own', detail: 'by approval' });
    expect(change?.added[0]).toBe(sha256(stranger));
    expect(change?.removed[0]).toBe(sha256(own));
    expect([await files(store, 'pending'), await files(store, 'approved')]).toEqual([[], []]);
  });

  it('makes its root the known root, also after a restart: the old root would need approval in turn', async () => {
    await using store = await openPending();
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(await cacheOf(store).load()).toMatchObject({ rootSha256: sha256(stranger), basis: 'approval' });
    store.trust.close();
    store.actions();

    const restarted = await store.open();
    expect(ders(restarted)).toEqual([all(stranger)]);
    serve(store.directory, filesOf(own));
    await store.timers.fire();
    expect(store.actions()).toEqual(['from_cache', 'root_changed_refused']);
    expect(ders(restarted)).toEqual([all(stranger)]);
  });

  it('given while the gateway is stopped takes effect at the start, although the sources fail', async () => {
    await using store = await openPending();
    store.trust.close();
    store.actions();
    store.changed();
    await cacheOf(store).approve(sha256(stranger));
    store.directory.misbehaviour = misbehaviours.fail;
    const restarted = await store.open();
    expect(ders(restarted)).toEqual([all(stranger)]);
    expect(store.actions()).toEqual(['from_cache', 'approved']);
    expect(store.changed()).toMatchObject([{ detail: 'at the start', removed: [] }]);
  });

  it('of a root that was replaced in the meantime changes nothing, and is deleted', async () => {
    await using store = await openPending();
    const cache = cacheOf(store);
    serve(store.directory, filesOf(third));
    await store.timers.fire();
    store.actions();
    await cache.approve(sha256(stranger));
    await store.timers.fire();
    expect(store.events.splice(0)).toMatchObject([
      {
        action: 'approval_refused',
        sha256: sha256(third),
        detail: `the approval names ${withColons(sha256(stranger))}, but the pending root is ${withColons(sha256(third))}`,
      },
    ]);
    expect(await files(store, 'approved')).toEqual([]);
    serve(store.directory, filesOf(stranger));
    for (let round = 0; round < 6; round++) await store.timers.fire();
    expect(ders(store.trust), 'also when it is served again').toEqual([all(own)]);

    await cache.approve(sha256(stranger));
    await store.timers.fire();
    expect(ders(store.trust), 'after a new approval').toEqual([all(stranger)]);
  });

  it('applies to its root, whatever CAs are below it by then', async () => {
    await using store = await openPending();
    const { issuing } = authority({ now, root: { key: stranger.root.privateKey }, name: 'Example' });
    serve(store.directory, { '/issuing.pem': issuing.pem });
    await store.timers.fire();
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(ders(store.trust)).toEqual([[stranger.root.der, issuing.der]]);
  });

  it.each([
    ['a text that is no digest', () => 'yes', 'the approval names no root'],
    ['the root in use', () => sha256(own), `the approval names ${withColons(sha256(own))}`],
  ])('of %s is refused, reported and deleted', async (_what, text, problem) => {
    await using store = await openPending();
    store.actions();
    for (let round = 0; round < 2; round++) {
      await cacheOf(store).approve(text());
      await store.timers.fire();
      await store.timers.fire();
      expect(store.events.splice(0)).toMatchObject([
        { action: 'approval_refused', detail: expect.stringContaining(problem) },
      ]);
      expect(await files(store, 'approved')).toEqual([]);
    }
    expect(ders(store.trust)).toEqual([all(own)]);
  });

  it('of a set that expired in the meantime is refused', async () => {
    await using store = await openPending();
    store.actions();
    store.clock.now += 20 * 365 * day;
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(store.events[0]).toMatchObject({
      action: 'approval_refused',
      detail: expect.stringContaining('expired at'),
    });
    expect(ders(store.trust)).toEqual([all(own)]);
  });

  it('has no effect against a pin', async () => {
    await using store = await openPending({ anchor: { rootSha256: sha256(own) } });
    expect(store.events.at(-1)).toMatchObject({
      action: 'root_changed_refused',
      detail: expect.stringMatching('it is pending until rootSha256 names it$'),
    });
    store.actions();
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(store.events.splice(0)).toMatchObject([
      { action: 'approval_refused', detail: `rootSha256 allows only ${withColons(sha256(own))}` },
    ]);
    expect(ders(store.trust)).toEqual([all(own)]);
    expect(await files(store, 'approved')).toEqual([]);
  });

  it('that cannot be read is reported once, and takes effect once it can be read', async () => {
    await using store = await openPending();
    store.actions();
    await writeFile(join(store.cacheDir, 'approved'), 'a file where a folder should be');
    for (let round = 0; round < 3; round++) await store.timers.fire();
    expect(store.actions()).toEqual(['cache_failed']);
    await rm(join(store.cacheDir, 'approved'));
    await cacheOf(store).approve(sha256(stranger));
    await store.timers.fire();
    expect(store.actions()).toEqual(['approved']);
  });

  it('is looked for every second while a root is pending, and fetches keep their schedule', async () => {
    await using store = await openPending({ refresh: 5000 });
    store.directory.requests.length = 0;
    const pauses: (number | undefined)[] = [];
    const fetches: boolean[] = [];
    for (let round = 0; round < 8; round++) {
      pauses.push(store.timers.pending[0]?.milliseconds);
      store.directory.requests.length = 0;
      await store.timers.fire();
      fetches.push(store.directory.requests.length > 0);
    }
    expect(store.timers.pending).toHaveLength(1);
    expect(pauses).toEqual(Array(8).fill(1000));
    expect(fetches, 'after 1, 2, 4 and 5 s').toEqual([true, false, true, false, false, false, true, false]);
  });

  it('stays on disk for the next start if the set could not be saved', async () => {
    await using store = await openPending();
    await store.timers.fire();
    const cached = await readFile(store.cacheFile);
    await cacheOf(store).approve(sha256(stranger));
    // A folder in the file's place: it cannot be replaced.
    await rm(store.cacheFile);
    await mkdir(join(store.cacheFile, 'full'), { recursive: true });
    store.actions();
    await store.timers.fire();
    expect(store.actions()).toEqual(['approved', 'cache_failed']);
    expect(ders(store.trust)).toEqual([all(stranger)]);
    store.trust.close();

    await rm(store.cacheFile, { recursive: true });
    await writeFile(store.cacheFile, cached);
    expect(ders(await store.open())).toEqual([all(stranger)]);
    expect(store.actions()).toEqual(['from_cache', 'approved']);
  });
});

it('an approval has no effect on an anchor without a known root: its first root is trusted on first use', async () => {
  await using store = await openStore();
  await cacheOf(store).approve(sha256(stranger));
  const trust = await store.open();
  expect(ders(trust)).toEqual([all(own)]);
  expect(store.actions()).toEqual(['trust_on_first_use']);
  expect(await files(store, 'approved')).toEqual([]);
});

it('a pending set with another root than it states is refused, approved or not', async () => {
  await using store = await openPending();
  const pending = (await cacheOf(store).loadPending()) as StoredAnchor;
  const sources = pending.sources.map((source, index) => ({
    ...source,
    bytes: Buffer.from(Object.values(filesOf(third))[index] as string),
  }));
  store.trust.close();
  store.actions();
  await cacheOf(store).savePending({ ...pending, sources });
  await cacheOf(store).approve(sha256(stranger));
  expect(ders(await store.open())).toEqual([all(own)]);
  expect(store.actions()).toEqual(['from_cache', 'approval_refused']);
});

it('a root stays pending, and is not reported again, when the settings of the anchor change', async () => {
  await using store = await openPending();
  store.actions();
  await store.trust.update(store.settings({ anchor: { rootSha256: sha256(own) } }));
  await store.trust.update(store.settings());
  await store.timers.fire();
  expect(store.actions()).toEqual([]);
  await cacheOf(store).approve(sha256(stranger));
  await store.timers.fire();
  expect(ders(store.trust)).toEqual([all(stranger)]);
});

it('a pending set from other URLs is ignored', async () => {
  await using store = await openWarmStore();
  await cacheOf(store).savePending({
    name: 'own',
    fetchedAt: now,
    rootSha256: sha256(stranger),
    basis: 'approval',
    sources: [{ url: 'https://elsewhere.example/root.pem', bytes: Buffer.from(stranger.anchorPem) }],
  });
  await cacheOf(store).approve(sha256(stranger));
  expect(ders(await store.open())).toEqual([all(own)]);
});
