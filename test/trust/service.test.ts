/** Anchors from URLs and files over time: which sets are used or refused, and when the sources are fetched again. */
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
    expect(store.actions()).toEqual(['refused']);
  });

  it('is missing while the source fails and there is no cache, until the source works', async () => {
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

  it('is refused with all problems of all its files', async () => {
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

  it('is refused if it is not usable, is not the pinned one, or fails the final check', async () => {
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

  it('is refused if the CA file for the server of its URLs holds no certificate', async () => {
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
  /** A certificate that the parser refuses. */
  const unreadable = (pem: string) => pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64));

  it('is used without it, and the skipped certificate is reported once', async () => {
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

  it('is refused if the unreadable certificate may be one that is in use', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    serve(store.directory, { '/issuing.pem': unreadable(own.issuing.pem) + further().pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.events).toMatchObject([
      {
        action: 'refused',
        detail: expect.stringMatching(
          /PEM block 1 \(line 1\) .*; this update would remove .*, which is in use$/,
        ),
      },
    ]);
  });

  it('drops a certificate that is no longer served, beside one that was unreadable before, too', async () => {
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

  it('drops a certificate that is no longer served, whatever else has problems', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const [next, odd] = [further(), further({ key: 'rsa-1024' })];
    serve(store.directory, { '/issuing.pem': next.pem + odd.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, next.der]]);
  });

  it('is used at the first fetch, and again from the cache', async () => {
    await using store = await openStore();
    const old = further({ notAfter: now - 1000 });
    serve(store.directory, { '/issuing.pem': own.issuing.pem + old.pem });
    (await store.open()).close();
    expect(store.actions()).toEqual(['trust_on_first_use', 'passed_over']);
    const trust = await store.open();
    expect(store.actions()).toEqual(['from_cache', 'passed_over']);
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, old.der]]);
  });

  it('is checked again when a certificate expires', async () => {
    await using store = await openStore();
    serve(store.directory, {
      '/issuing.pem': own.issuing.pem + further({ notAfter: now + 60_000 }).pem,
    });
    const trust = await store.open();
    store.actions();
    trust.checkDates();
    expect([store.actions(), store.published]).toEqual([[], []]);
    store.clock.now += 61_000;
    trust.checkDates();
    trust.checkDates();
    expect(store.events).toMatchObject([
      {
        action: 'passed_over',
        detail: expect.stringMatching(/^CN=further: expired at .*; the certificate is skipped: remove it/),
      },
    ]);
    expect(store.published).toHaveLength(1);
  });

  it('may hold the known root renewed under its key, and later the renewed certificate only', async () => {
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

  it('with only the renewed root is pending until approved, like any other root', async () => {
    await using store = await openStore();
    await store.open();
    store.actions();
    const renewed = further({ subject: own.root.subject, issuer: own.root, key: own.root.privateKey });
    serve(store.directory, { '/root.pem': renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['root_changed_refused']);
  });
});
