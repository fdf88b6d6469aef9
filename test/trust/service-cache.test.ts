/** The cached set on disk: what a start uses from it, and what it refuses. */
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withColons } from '../../src/pki/fingerprint.ts';
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

/** Replaces the certificate files in the cached set; everything else in it stays. */
async function replaceCached(file: string, contents: readonly string[]) {
  const stored = JSON.parse(await readFile(file, 'utf8'));
  for (const [index, source] of stored.sources.entries()) {
    source.bytes = Buffer.from(contents[index] as string).toString('base64');
  }
  await writeFile(file, JSON.stringify(stored));
}

describe('the cached set', () => {
  it('is used at once at the next start, and its sources are fetched within a second', async () => {
    await using store = await openWarmStore();
    store.clock.now += day;
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ fetchedAt: now, pinned: false, source: 'cache' }]);
    expect(store.events.splice(0)).toEqual([
      {
        type: 'trust',
        action: 'from_cache',
        anchor: 'own',
        sha256: sha256(own),
        url: `${store.directory.origin}/root.pem`,
      },
    ]);
    expect(store.directory.requests).toHaveLength(2);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }]);

    await store.timers.fire();
    expect(store.directory.requests.map(({ status }) => status)).toEqual([200, 200, 304, 304]);
    expect(trust.states()).toMatchObject([{ fetchedAt: now + day, source: 'url' }]);
    expect(store.actions(), 'not a first use').toEqual(['fetched']);
    expect(store.published, 'the same certificates').toEqual([]);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 3_600_000 }]);
  });

  it('is used without a delay by a URL that hangs', async () => {
    await using store = await openWarmStore();
    const asked = Promise.withResolvers<void>();
    store.directory.misbehaviour = () => asked.resolve();
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.directory.requests, 'nothing was fetched before').toHaveLength(2);

    const fetching = store.timers.fire();
    await asked.promise;
    expect(trust.states()).toMatchObject([{ source: 'cache' }]);
    trust.close();
    await fetching;
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('stays in use while the source fails, until it works', async () => {
    await using store = await openWarmStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open();
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ fetchedAt: now, source: 'cache' }]);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 2000 }]);
    store.directory.misbehaviour = null;
    await store.timers.fire();
    expect(trust.states()).toMatchObject([{ source: 'url' }]);
    expect(store.actions()).toEqual(['from_cache', 'fetch_failed', 'fetched']);
  });

  it('is replaced by a set with a new issuing CA', async () => {
    await using store = await openWarmStore();
    const { issuing } = authority({ now, root: { key: own.root.privateKey }, name: 'Example' });
    serve(store.directory, { '/issuing.pem': issuing.pem });
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
    expect(store.actions()).toEqual(['from_cache', 'fetched']);
  });

  it('is not scheduled for a fetch before every other anchor was fetched, so that no change precedes the start', async () => {
    await using store = await openWarmStore();
    const asked = Promise.withResolvers<ServerResponse>();
    store.directory.misbehaviour = (_, response) => asked.resolve(response);
    const opening = store.open({ anchors: [store.configured, { ...store.configured, name: 'cold' }] });
    const response = await asked.promise;
    expect(store.timers.pending).toEqual([]);
    response.writeHead(503).end();
    expect((await opening).states()).toMatchObject([{ name: 'own', source: 'cache' }]);
    // The order of events of two anchors is not defined.
    expect(store.actions().toSorted()).toEqual(['fetch_failed', 'from_cache']);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }, { milliseconds: 1000 }]);
  });

  it('is refused after it expired, and a new set under its root is fetched', async () => {
    await using store = await openStore();
    const root = { key: own.root.privateKey };
    const { issuing } = authority({ now, root, issuing: { notAfter: now + day } });
    serve(store.directory, { '/issuing.pem': issuing.pem });
    (await store.open()).close();
    store.actions();
    store.clock.now += 2 * day;
    serve(store.directory, filesOf(own));
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.events).toMatchObject([
      { action: 'refused', detail: expect.stringMatching(/^from the cache: .* expired at /) },
      { action: 'fetched', sha256: sha256(own) },
    ]);
  });

  it('is used after a wrong clock was corrected, although the sources fail', async () => {
    await using store = await openWarmStore();
    store.directory.misbehaviour = misbehaviours.fail;
    store.clock.now += 40 * 365 * day;
    const trust = await store.open();
    expect(store.actions()).toEqual(['refused', 'fetch_failed']);
    expect(trust.states()).toEqual([]);
    store.clock.now = now;
    await trust.refresh();
    expect(store.actions()).toEqual(['fetch_failed', 'from_cache']);
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.published).toHaveLength(1);

    // A requested refresh fetches at once, and restarts the backoff.
    store.directory.misbehaviour = null;
    await trust.refresh();
    expect(store.actions()).toEqual(['fetched']);
    expect(store.timers.pending).toHaveLength(1);
  });

  it('does not allow another root after its own expired', async () => {
    await using store = await openWarmStore();
    store.clock.now += 20 * 365 * day;
    serve(store.directory, filesOf(authority({ now: store.clock.now })));
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused', 'root_changed_refused']);
  });

  it('is used with a new pin of its root', async () => {
    await using store = await openWarmStore();
    const trust = await store.open({ anchor: { rootSha256: sha256(own) } });
    expect(trust.states()).toMatchObject([{ pinned: true, source: 'cache' }]);
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('is refused and replaced if the operator pins another root', async () => {
    await using store = await openWarmStore();
    serve(store.directory, filesOf(stranger));
    const trust = await store.open({ anchor: { rootSha256: sha256(stranger) } });
    expect(ders(trust)).toEqual([[stranger.root.der, stranger.issuing.der]]);
    expect(store.events.splice(0)).toMatchObject([
      {
        action: 'refused',
        detail: expect.stringMatching(
          `^from the cache: .*: its SHA-256 is ${withColons(sha256(own))}, not rootSha256`,
        ),
      },
      { action: 'fetched', sha256: sha256(stranger) },
    ]);

    trust.close();
    await store.open({ anchor: { rootSha256: sha256(stranger) } });
    expect(store.actions(), 'once').toEqual(['from_cache']);
  });

  it('is never used if another root is pinned', async () => {
    await using store = await openWarmStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open({ anchor: { rootSha256: sha256(stranger) } });
    expect(store.actions()).toEqual(['refused', 'fetch_failed']);

    store.directory.misbehaviour = null;
    await store.timers.fire();
    expect(store.actions(), 'the old root, still served').toEqual(['refused']);

    serve(store.directory, filesOf(authority({ now })));
    await store.timers.fire();
    expect(store.events.splice(0), 'a third root').toMatchObject([
      {
        action: 'root_changed_refused',
        detail: expect.stringContaining(`only ${withColons(sha256(stranger))} is accepted`),
      },
    ]);
    expect(trust.states()).toEqual([]);

    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    expect(ders(trust)).toEqual([[stranger.root.der, stranger.issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
  });

  it('is fetched in full if it cannot be used, although the sources would answer 304', async () => {
    await using store = await openWarmStore();
    await replaceCached(store.cacheFile, [own.root.pem, 'garbage']);
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.directory.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(store.actions()).toEqual(['refused', 'fetched']);
  });

  it('is refused if it holds another root than it states', async () => {
    await using store = await openWarmStore();
    serve(store.directory, filesOf(stranger));
    await replaceCached(store.cacheFile, [stranger.root.pem, stranger.issuing.pem]);
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused', 'root_changed_refused']);
  });

  it('is reported, ignored and written again if it is corrupted', async () => {
    await using store = await openWarmStore();
    await writeFile(store.cacheFile, 'garbage');
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.actions()).toEqual(['cache_failed', 'trust_on_first_use']);
    expect(JSON.parse(await readFile(store.cacheFile, 'utf8'))).toMatchObject({ rootSha256: sha256(own) });
  });

  it('is reported if it cannot be written, and the fetched set is used', async () => {
    await using store = await openStore();
    await writeFile(join(store.folder, 'trust'), 'a file where a folder should be');
    const trust = await store.open();
    expect(trust.states()).toHaveLength(1);
    expect(store.actions()).toEqual(['cache_failed', 'trust_on_first_use', 'cache_failed']);
  });

  it('is not used for other URLs', async () => {
    await using store = await openWarmStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open({ anchor: { urls: [`${store.directory.origin}/chain.pem`] } });
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['fetch_failed']);
  });
});
