/** Candidates are kept current like anchors, but separately; a promoted candidate keeps its root as the known root. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  ders,
  filesOf,
  openStore,
  openWarmStore,
  own,
  serve,
  sha256,
  stranger,
} from '../support/trust/anchor-store.ts';
import { misbehaviours } from '../support/trust/directory.ts';

const all = ({ root, issuing }: typeof own) => [root.der, issuing.der];
const candidates = { list: 'candidates' } as const;

it('candidates and anchors have separate caches', async () => {
  await using store = await openStore();
  const anchors = await store.open();
  serve(store.directory, filesOf(stranger));
  const rehearsed = await store.open(candidates);
  expect([ders(anchors), ders(rehearsed)]).toEqual([[all(own)], [all(stranger)]]);
  expect(store.actions()).toEqual(['trust_on_first_use', 'trust_on_first_use']);
  expect((await readdir(store.cacheDir)).sort()).toEqual(['candidates', 'own.json']);

  // The known root of an anchor is its own, whatever a candidate with its name and URLs has cached.
  anchors.close();
  expect(ders(await store.open())).toEqual([all(own)]);
  rehearsed.close();
  expect(ders(await store.open(candidates))).toEqual([all(stranger)]);
});

it('a promoted candidate starts from its cached set, whose root is the known root from then on', async () => {
  await using store = await openStore();
  (await store.open(candidates)).close();
  store.actions();
  store.directory.misbehaviour = misbehaviours.fail;
  const promoted = await store.open();
  expect(ders(promoted)).toEqual([all(own)]);
  expect(store.actions()).toEqual(['from_cache']);

  store.directory.misbehaviour = null;
  serve(store.directory, filesOf(stranger));
  await store.timers.fire();
  expect(store.actions()).toEqual(['root_changed_refused']);
  expect(ders(promoted)).toEqual([all(own)]);

  // A later candidate with that name has no effect.
  await rm(join(store.cacheDir, 'candidates'), { recursive: true });
  (await store.open(candidates)).close();
  promoted.close();
  expect(ders(await store.open())).toEqual([all(own)]);
});

it('a candidate promoted at run time is in use without a gap', async () => {
  await using store = await openStore();
  const file = join(store.folder, 'file.pem');
  await writeFile(file, stranger.anchorPem);
  const anchors = [{ name: 'file', files: [file] }];
  const trust = await store.open({ anchors });
  (await store.open(candidates)).close();
  store.directory.requests.length = 0;
  await trust.update({ ...store.settings(), anchors: [...anchors, store.configured] });
  expect(ders(trust)).toEqual([all(stranger), all(own)]);
  expect(store.directory.requests).toEqual([]);
});

it('a candidate promoted with a pin of another root is refused', async () => {
  await using store = await openStore();
  (await store.open(candidates)).close();
  store.actions();
  const promoted = await store.open({ anchor: { rootSha256: sha256(stranger) } });
  expect(promoted.states()).toEqual([]);
  expect(store.actions()).toEqual(['refused', 'refused']);
});

it('an anchor whose own cache cannot be read never uses that of a candidate', async () => {
  await using store = await openWarmStore();
  serve(store.directory, filesOf(stranger));
  (await store.open(candidates)).close();
  await writeFile(store.cacheFile, 'garbage');
  store.directory.misbehaviour = misbehaviours.fail;
  expect((await store.open()).states()).toEqual([]);
});

it('a candidate never starts from the cache of an anchor', async () => {
  await using store = await openWarmStore();
  store.directory.misbehaviour = misbehaviours.fail;
  expect((await store.open(candidates)).states()).toEqual([]);
});

it('the problems of a candidate name its place in the configuration', async () => {
  await using store = await openStore({ requirePin: true });
  await expect(store.open(candidates)).rejects.toMatchObject({
    problems: [{ path: 'trust.candidates[0]', found: 'no rootSha256' }],
  });
});
