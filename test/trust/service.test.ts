/** Anchors from URLs and files over time: what is taken, what is refused, and when the sources are asked again. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
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
  it('is taken on first use without a pin, and said to be with the root’s SHA-256', async () => {
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

  it('is no first use with a pin', async () => {
    await using store = await openStore({ anchor: { rootSha256: sha256(own) } });
    const trust = await store.open();
    expect(trust.states()).toMatchObject([{ pinned: true, source: 'url' }]);
    expect(store.actions()).toEqual(['fetched']);
  });

  it('is refused when its root is not the pinned one', async () => {
    await using store = await openStore({ anchor: { rootSha256: sha256(stranger) } });
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused']);
  });

  it('is missing when the source is down and there is no cache, until the source is back', async () => {
    await using store = await openStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    store.directory.misbehaviour = null;
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
    expect(store.actions()).toEqual(['fetch_failed', 'trust_on_first_use']);
  });

  it('is refused without a pin when every anchor must have one', async () => {
    await using store = await openStore({ requirePin: true });
    await expect(store.open()).rejects.toMatchObject({
      problems: [{ path: 'trust.anchors[0]', found: 'no rootSha256' }],
    });
    expect(store.directory.requests).toEqual([]);
    await store.open({ anchor: { rootSha256: sha256(own) } });
    expect(store.actions()).toEqual(['fetched']);
    await expect(store.open(), 'not from the cache either').rejects.toMatchObject({ code: 'TRUST' });
  });

  it('is refused by the last word of its user, cached and fetched alike', async () => {
    await using store = await openWarmStore();
    const trust = await store.open({ accept: ({ name }) => `${name} is not wanted` });
    expect(trust.states()).toEqual([]);
    expect(store.events).toMatchObject([
      { action: 'refused', detail: 'from the cache: own is not wanted' },
      { action: 'refused', detail: 'own is not wanted' },
    ]);
  });
});

describe('a refresh', () => {
  it('confirms what is in use without telling anyone', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    store.clock.now += day;
    await store.timers.fire();
    expect(trust.states()).toMatchObject([{ fetchedAt: now + day }]);
    expect(store.actions()).toEqual([]);
    expect(store.published).toEqual([]);
  });

  it('takes a new issuing CA under the same root', async () => {
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

  it('never takes another root, not after a restart either', async () => {
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
  ])('refuses %s as a whole and keeps the old one, on disk too', async (_, files) => {
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

  it('keeps what is in use when the source fails, and asks more and more slowly', async () => {
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

  it('has one fetch in flight: nothing is scheduled while one runs', async () => {
    await using store = await openStore();
    await store.open();
    store.directory.misbehaviour = misbehaviours.hang;
    const fetching = store.timers.fire();
    expect(store.timers.pending).toEqual([]);
    await store.directory.close();
    await fetching;
    expect(store.timers.pending).toHaveLength(1);
  });

  it('ends with the store: no event, no change and no timer after that', async () => {
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

describe('an anchor from files', () => {
  const files = async (
    store: Awaited<ReturnType<typeof openStore>>,
    content: Record<string, string | Buffer>,
  ) => {
    const paths = Object.keys(content).map((name) => join(store.folder, name));
    await Promise.all(Object.values(content).map((text, index) => writeFile(paths[index] as string, text)));
    return { anchor: { urls: undefined, files: paths } };
  };

  it('is read once, PEM or DER', async () => {
    await using store = await openStore();
    const trust = await store.open(
      await files(store, { 'issuing.pem': own.issuing.pem, 'root.der': own.root.der }),
    );
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ source: 'files', pinned: false, fetchedAt: now }]);
    expect(store.timers.pending).toEqual([]);
    expect(store.events).toEqual([]);
  });

  it('is refused with every problem of every file', async () => {
    await using store = await openStore();
    const { anchor } = await files(store, { 'key.pem': own.root.keyPem });
    const missing = join(store.folder, 'missing.pem');
    await expect(
      store.open({ anchor: { ...anchor, files: [...anchor.files, missing] } }),
    ).rejects.toMatchObject({
      code: 'TRUST',
      problems: [
        { path: 'trust.anchors[0].files[0]', found: expect.stringContaining('is a private key') },
        { path: 'trust.anchors[0].files[1]', found: `${missing}: ENOENT` },
      ],
    });
  });

  it('is refused when it is no sound anchor, or not the pinned one, or not wanted', async () => {
    await using store = await openStore();
    const problem = (found: string) => ({
      problems: [{ path: 'trust.anchors[0].files', found: expect.stringContaining(found) }],
    });
    const { anchor } = await files(store, { 'anchor.pem': own.anchorPem });
    const pinned = { ...anchor, rootSha256: sha256(stranger) };
    await expect(store.open({ anchor: pinned })).rejects.toMatchObject(problem('not rootSha256'));
    await expect(store.open({ anchor, accept: () => 'no' })).rejects.toMatchObject(problem('no'));
    const mixed = await files(store, { 'mixed.pem': own.root.pem + stranger.issuing.pem });
    await expect(store.open(mixed)).rejects.toMatchObject(problem('no path leads to the root'));
  });

  it('names a CA file for the URLs’ server that holds no certificate', async () => {
    await using store = await openStore();
    const ca = join(store.folder, 'empty.pem');
    await writeFile(ca, '');
    await expect(store.open({ anchor: { tls: { ca } } })).rejects.toMatchObject({
      problems: [{ path: 'trust.anchors[0].tls.ca' }],
    });
  });
});

describe('a set with a certificate that cannot be used', () => {
  const further = (options: Partial<IssueOptions> = {}) =>
    issueCertificate({
      subject: { CN: 'further' },
      issuer: own.root,
      notBefore: now - day,
      notAfter: now + day,
      basicConstraints: { ca: true },
      keyUsage: ['keyCertSign'],
      ...options,
    });
  /** A certificate that no strict reader takes: a serial of another type. */
  const unreadable = (pem: string) => pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64));

  it('is taken without it, which is told once', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    const next = further();
    const odd = further({ key: 'rsa-1024' });
    serve(store.directory, {
      '/issuing.pem': own.issuing.pem + next.pem + odd.pem + unreadable(odd.pem),
    });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, next.der]]);
    expect(store.events).toMatchObject([
      { action: 'fetched' },
      {
        action: 'passed_over',
        anchor: 'own',
        detail: expect.stringMatching(/issuing\.pem: PEM block 4 \(line \d+\) /),
      },
      {
        action: 'passed_over',
        anchor: 'own',
        detail: expect.stringMatching(/^CN=further: has an RSA key of/),
      },
    ]);
    store.actions();
    await store.timers.fire();
    expect(store.actions()).toEqual([]);
  });

  it('is refused where what cannot be read may be a certificate that is in use', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    serve(store.directory, { '/issuing.pem': unreadable(own.issuing.pem) + further().pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.events).toMatchObject([
      {
        action: 'refused',
        detail: expect.stringMatching(/PEM block 1 \(line 1\) .*; without it .* would be missing$/),
      },
    ]);
  });

  it('gives up what its sources no longer serve beside a certificate that could not be read before either', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const [next, odd] = [further(), unreadable(further().pem)];
    serve(store.directory, { '/issuing.pem': odd + own.issuing.pem + next.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, next.der]]);
    serve(store.directory, { '/issuing.pem': odd + next.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, next.der]]);
  });

  it('gives up what its sources no longer serve, whatever else is odd about it', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const [next, odd] = [further(), further({ key: 'rsa-1024' })];
    serve(store.directory, { '/issuing.pem': next.pem + odd.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, next.der]]);
  });

  it('is taken at the first fetch, and again from the cache', async () => {
    await using store = await openStore();
    const old = further({ notAfter: now - 1000 });
    serve(store.directory, { '/issuing.pem': own.issuing.pem + old.pem });
    (await store.open()).close();
    expect(store.actions()).toEqual(['trust_on_first_use', 'passed_over']);
    const trust = await store.open();
    expect(store.actions()).toEqual(['from_cache', 'passed_over']);
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, old.der]]);
  });

  it('is looked at again when a date has passed, by itself', async () => {
    await using store = await openStore();
    serve(store.directory, {
      '/issuing.pem': own.issuing.pem + further({ notAfter: now + 60_000 }).pem,
    });
    const trust = await store.open();
    store.actions();
    trust.look();
    expect([store.actions(), store.published]).toEqual([[], []]);
    store.clock.now += 61_000;
    trust.look();
    trust.look();
    expect(store.events).toMatchObject([
      { action: 'passed_over', detail: expect.stringMatching(/^CN=further: expired at .*; remove it/) },
    ]);
    expect(store.published).toHaveLength(1);
  });

  it('may hold the known root renewed under its key, and goes on with that alone', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    const renewed = further({ subject: own.root.subject, issuer: own.root, key: own.root.privateKey });
    serve(store.directory, { '/root.pem': own.root.pem + renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['fetched']);
    serve(store.directory, { '/root.pem': renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['fetched']);
    expect(ders(trust)).toEqual([[renewed.der, own.issuing.der]]);
    trust.close();
    await store.open();
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('with the renewed root alone waits for approval, as any other root does', async () => {
    await using store = await openStore();
    await store.open();
    store.actions();
    const renewed = further({ subject: own.root.subject, issuer: own.root, key: own.root.privateKey });
    serve(store.directory, { '/root.pem': renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['root_changed_refused']);
  });
});
