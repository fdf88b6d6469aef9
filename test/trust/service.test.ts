/** Anchors from URLs over time: which sets are used or refused, and when the sources are fetched again. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
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

describe('an anchor from URLs', () => {
  it('without a pin is trusted on first use, and the event has the root’s SHA-256', async () => {
    await using store = await openStore();
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ name: 'own', fetchedAt: now, pinned: false, source: 'url' }]);
    expect(store.events).toEqual([
      {
        type: 'trust',
        action: 'trust_on_first_use',
        anchor: 'own',
        sha256: sha256(own),
        url: `${store.directory.origin}/root.pem`,
      },
    ]);
    expect(store.published).toEqual([]);
  });

  it('with a pin is not reported as trusted on first use', async () => {
    await using store = await openStore({ anchor: { rootSha256: sha256(own) } });
    const trust = await store.open();
    expect(trust.states()).toMatchObject([{ pinned: true, source: 'url' }]);
    expect(store.actions()).toEqual(['fetched']);
  });

  it('is refused when its root is not the pinned one', async () => {
    await using store = await openStore({ anchor: { rootSha256: sha256(stranger) } });
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(trust.sources()).toMatchObject([{ state: null, pinned: true, problem: expect.any(String) }]);
    expect(store.actions()).toEqual(['refused']);
  });

  it('is missing while the source fails and there is no cache, until the source works', async () => {
    await using store = await openStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(trust.sources()).toEqual([
      {
        name: 'own',
        state: null,
        pinned: false,
        hasPendingRoot: false,
        problem: expect.stringContaining(`${store.directory.origin}/`),
      },
    ]);
    store.directory.misbehaviour = null;
    await store.timers.fire();
    expect(trust.sources()).toMatchObject([{ state: { source: 'url' }, problem: null }]);
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
    expect(store.actions()).toEqual(['fetch_failed', 'trust_on_first_use']);
  });

  it('is refused without a pin if requirePin is set', async () => {
    await using store = await openStore({ requirePin: true });
    await expect(store.open()).rejects.toMatchObject({
      problems: [{ path: 'trust.anchors[0]', found: 'no rootSha256' }],
    });
    expect(store.directory.requests).toEqual([]);
    await store.open({ anchor: { rootSha256: sha256(own) } });
    expect(store.actions()).toEqual(['fetched']);
    await expect(store.open(), 'not from the cache either').rejects.toMatchObject({ code: 'TRUST' });
  });

  it('is refused by the final check, whether cached or fetched', async () => {
    await using store = await openWarmStore();
    const trust = await store.open({ accept: ({ name }) => `${name} is refused` });
    expect(trust.states()).toEqual([]);
    expect(store.events).toMatchObject([
      { action: 'refused', detail: 'from the cache: own is refused' },
      { action: 'refused', detail: 'own is refused' },
    ]);
  });
});

describe('a refresh', () => {
  it('that confirms the set in use reports nothing', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    store.clock.now += day;
    await store.timers.fire();
    expect(trust.states()).toMatchObject([{ fetchedAt: now + day }]);
    expect(store.actions()).toEqual([]);
    expect(store.published).toEqual([]);
  });

  it('uses a new issuing CA under the same root', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const { issuing } = authority({ now, root: { key: own.root.privateKey }, name: 'Example' });
    store.actions();
    serve(store.directory, { '/issuing.pem': issuing.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
    expect(store.actions()).toEqual(['fetched']);
  });

  it('never uses another root, even after a restart', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.published).toEqual([]);
    expect(store.events).toMatchObject([{ action: 'root_changed_refused', sha256: sha256(stranger) }]);
    store.actions();

    trust.close();
    const restarted = await store.open();
    expect(store.actions()).toEqual(['from_cache']);
    await store.timers.fire();
    expect(ders(restarted)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.actions()).toEqual(['root_changed_refused']);
    expect(store.published).toEqual([]);
  });

  it.each([
    ['a mixed set', { '/issuing.pem': stranger.issuing.pem }],
    [
      'an expired set',
      {
        '/issuing.pem': authority({ now, root: { key: own.root.privateKey }, issuing: { notAfter: now - 1 } })
          .issuing.pem,
      },
    ],
    ['a private key', { '/issuing.pem': own.issuing.keyPem }],
    ['no certificate at all', { '/issuing.pem': '<html>' }],
  ])('refuses %s completely and keeps the old one, also on disk', async (_, files) => {
    await using store = await openStore();
    const trust = await store.open();
    const cached = await readFile(store.cacheFile, 'utf8');
    store.actions();
    serve(store.directory, files);
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.actions()).toEqual(['refused']);
    expect(await readFile(store.cacheFile, 'utf8')).toBe(cached);
  });

  it('keeps the set in use while the source fails, and fetches with exponential backoff', async () => {
    await using store = await openStore({ refresh: 5000 });
    const trust = await store.open();
    store.actions();
    store.directory.misbehaviour = misbehaviours.fail;
    const pauses: (number | undefined)[] = [];
    for (let round = 0; round < 5; round++) {
      pauses.push(store.timers.pending[0]?.milliseconds);
      await store.timers.fire();
    }
    expect(pauses).toEqual([5000, 1000, 2000, 4000, 5000]);
    expect(store.actions()).toEqual(Array(5).fill('fetch_failed'));
    expect(trust.states()).toMatchObject([{ source: 'url' }]);

    store.directory.misbehaviour = null;
    await store.timers.fire();
    expect(store.timers.pending).toMatchObject([{ milliseconds: 5000 }]);
  });

  it('is not scheduled while another one is in progress', async () => {
    await using store = await openStore();
    await store.open();
    store.directory.misbehaviour = misbehaviours.hang;
    const fetching = store.timers.fire();
    expect(store.timers.pending).toEqual([]);
    await store.directory.close();
    await fetching;
    expect(store.timers.pending).toHaveLength(1);
  });

  it('ends when the service is closed: no event, no change and no timer after that', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    store.directory.misbehaviour = misbehaviours.hang;
    const fetching = store.timers.fire();
    trust.close();
    await fetching;
    expect(store.actions()).toEqual([]);
    expect(store.timers.pending).toEqual([]);
    store.directory.misbehaviour = null;
    const another = await store.open();
    another.close();
    expect(store.timers.pending).toEqual([]);
  });
});
