import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { AnchorOptions } from '../../src/trust/anchor.ts';
import { openTrust, pause, type Timers, type Trust, type TrustOptions } from '../../src/trust/refresh.ts';
import type { AnchorState, TrustEvent } from '../../src/trust/state.ts';
import { type Authority, authority } from '../support/authority.ts';
import { type Directory, misbehaviours, openDirectory } from '../support/directory.ts';
import { temporaryFolder } from '../support/folder.ts';

const now = Date.UTC(2026, 0, 15);
const day = 86_400_000;
const own = authority({ now });
const stranger = authority({ now });
const sha256 = ({ root }: Authority) => parseCertificate(root.der).sha256;

const filesOf = ({ root, issuing }: Authority) => ({ '/root.pem': root.pem, '/issuing.pem': issuing.pem });
const serve = (directory: Directory, files: Record<string, string>) => {
  for (const [path, content] of Object.entries(files)) directory.files.set(path, content);
};

/** Timers that only the test fires: every pause is remembered, `fire` ends the oldest one. */
class ManualTimers implements Timers {
  readonly pending: { run: () => unknown; milliseconds: number }[] = [];
  setTimeout(run: () => unknown, milliseconds: number) {
    const timer = { run, milliseconds };
    this.pending.push(timer);
    return timer;
  }
  clearTimeout(timer: unknown) {
    this.pending.splice(this.pending.indexOf(timer as never), 1);
  }
  /** Resolves when what the timer started is done. */
  async fire() {
    await this.pending.shift()?.run();
  }
}

/** A trust store over a real directory and a real folder; only clock, timers and chance are the test's. */
async function openStore(options: Partial<TrustOptions> & { anchor?: Partial<AnchorOptions> } = {}) {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory(filesOf(own)));
  const folder = opened.use(await temporaryFolder());
  const caFile = join(folder.path, 'ca.pem');
  await writeFile(caFile, directory.pki.root.pem);
  const clock = { now };
  const timers = new ManualTimers();
  const events: TrustEvent[] = [];
  const published: AnchorState[][] = [];
  const running = new Set<Trust>();
  const urls = [`${directory.origin}/root.pem`, `${directory.origin}/issuing.pem`];
  const configured: AnchorOptions = { name: 'own', urls, tls: { ca: caFile } };
  const open = async (changes: typeof options = {}) => {
    const { anchor, ...rest } = { ...options, ...changes };
    const trust = await openTrust({
      anchors: [{ ...configured, ...anchor }],
      requirePin: false,
      refresh: 3_600_000,
      cacheDir: join(folder.path, 'trust'),
      onAnchors: (anchors) => published.push(anchors),
      onEvent: (event) => events.push(event),
      clock: () => clock.now,
      timers,
      random: () => 0,
      ...rest,
    });
    running.add(trust);
    return trust;
  };
  opened.defer(() => {
    for (const trust of running) trust.close();
  });
  const stack = opened.move();
  /** What happened since the last call. */
  const actions = () => events.splice(0).map(({ action }) => action);
  return {
    directory,
    configured,
    folder: folder.path,
    cacheFile: join(folder.path, 'trust', 'own.json'),
    clock,
    timers,
    events,
    published,
    actions,
    open,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
/** A store that was open before: its cache is warm, and nothing has happened since. */
async function openWarmStore() {
  const store = await openStore();
  (await store.open()).close();
  store.actions();
  return store;
}

/** Rewrites the cached copy. */
async function spoil(file: string, change: (stored: { sources: { bytes: string }[] }) => void) {
  const stored = JSON.parse(await readFile(file, 'utf8'));
  change(stored);
  await writeFile(file, JSON.stringify(stored));
}
const base64 = (text: string) => Buffer.from(text).toString('base64');

const ders = (trust: Trust) => trust.states().map(({ certificates }) => certificates.map(({ der }) => der));

describe('an anchor from URLs', () => {
  it('is taken on first use without a pin, and said to be with the root’s SHA-256', async () => {
    await using store = await openStore();
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ name: 'own', fetchedAt: now, pinned: false, source: 'url' }]);
    expect(store.events).toEqual([
      { type: 'trust', action: 'trust_on_first_use', anchor: 'own', sha256: sha256(own) },
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

describe('the cache', () => {
  it('is used at once at the next start, and its sources are asked within a second', async () => {
    await using store = await openWarmStore();
    store.clock.now += day;
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ fetchedAt: now, pinned: false, source: 'cache' }]);
    expect(store.events.splice(0)).toEqual([
      { type: 'trust', action: 'from_cache', anchor: 'own', sha256: sha256(own) },
    ]);
    expect(store.directory.requests).toHaveLength(2);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }]);

    await store.timers.fire();
    expect(store.directory.requests.map(({ status }) => status)).toEqual([200, 200, 304, 304]);
    expect(trust.states()).toMatchObject([{ fetchedAt: now + day, source: 'url' }]);
    expect(store.actions(), 'no first use').toEqual(['fetched']);
    expect(store.published, 'the same certificates').toEqual([]);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 3_600_000 }]);
  });

  it('lets no URL that hangs delay a start', async () => {
    await using store = await openWarmStore();
    const asked = Promise.withResolvers<void>();
    store.directory.misbehaviour = () => asked.resolve();
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.directory.requests, 'nothing was asked before').toHaveLength(2);

    const fetching = store.timers.fire();
    await asked.promise;
    expect(trust.states()).toMatchObject([{ source: 'cache' }]);
    trust.close();
    await fetching;
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('stays in use while the source is down, until it is back', async () => {
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

  it('gives way to a new issuing CA that the sources have served since', async () => {
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

  it('has nothing scheduled before every other anchor was asked, so that no change comes before the start', async () => {
    await using store = await openWarmStore();
    const asked = Promise.withResolvers<ServerResponse>();
    store.directory.misbehaviour = (_, response) => asked.resolve(response);
    const opening = store.open({ anchors: [store.configured, { ...store.configured, name: 'cold' }] });
    const response = await asked.promise;
    expect(store.timers.pending).toEqual([]);
    response.writeHead(503).end();
    expect((await opening).states()).toMatchObject([{ name: 'own', source: 'cache' }]);
    expect(store.actions()).toEqual(['from_cache', 'fetch_failed']);
    expect(store.timers.pending).toMatchObject([{ milliseconds: 1000 }, { milliseconds: 1000 }]);
  });

  it('is refused once it has expired, and what the sources serve under its root is fetched', async () => {
    await using store = await openStore();
    const { key, notAfter } = { key: own.root.privateKey, notAfter: now + day };
    serve(store.directory, {
      '/issuing.pem': authority({ now, root: { key }, issuing: { notAfter } }).issuing.pem,
    });
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

  it('lets no other root in because its own has expired', async () => {
    await using store = await openWarmStore();
    store.clock.now += 20 * 365 * day;
    serve(store.directory, filesOf(authority({ now: store.clock.now })));
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused', 'root_changed_refused']);
  });

  it('is confirmed by a pin of its root that is new in the configuration', async () => {
    await using store = await openWarmStore();
    const trust = await store.open({ anchor: { rootSha256: sha256(own) } });
    expect(trust.states()).toMatchObject([{ pinned: true, source: 'cache' }]);
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('gives way to another root when the operator pins it, and says so', async () => {
    await using store = await openWarmStore();
    serve(store.directory, filesOf(stranger));
    const trust = await store.open({ anchor: { rootSha256: sha256(stranger) } });
    expect(ders(trust)).toEqual([[stranger.root.der, stranger.issuing.der]]);
    expect(store.events.splice(0)).toMatchObject([
      { action: 'refused', detail: expect.stringMatching(`^from the cache: .*${sha256(own)}`) },
      { action: 'fetched', sha256: sha256(stranger) },
    ]);

    trust.close();
    await store.open({ anchor: { rootSha256: sha256(stranger) } });
    expect(store.actions(), 'once').toEqual(['from_cache']);
  });

  it('is nothing to fall back to when another root is pinned', async () => {
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
        detail: expect.stringContaining(`only ${sha256(stranger)} is taken`),
      },
    ]);
    expect(trust.states()).toEqual([]);

    serve(store.directory, filesOf(stranger));
    await store.timers.fire();
    expect(ders(trust)).toEqual([[stranger.root.der, stranger.issuing.der]]);
    expect(store.published).toEqual([trust.states()]);
  });

  it('is fetched anew where its bytes are spoilt, though the sources would answer 304', async () => {
    await using store = await openWarmStore();
    await spoil(store.cacheFile, ({ sources: [, issuing] }) =>
      Object.assign(issuing as object, { bytes: base64('garbage') }),
    );
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.directory.requests.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(store.actions()).toEqual(['refused', 'fetched']);
  });

  it('is refused when it holds another root than the one that was taken', async () => {
    await using store = await openWarmStore();
    serve(store.directory, filesOf(stranger));
    await spoil(store.cacheFile, ({ sources }) => {
      const content = Object.values(filesOf(stranger));
      for (const [index, source] of sources.entries()) source.bytes = base64(content[index] as string);
    });
    const trust = await store.open();
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['refused', 'root_changed_refused']);
  });

  it('is reported and ignored when it is corrupted, and written anew', async () => {
    await using store = await openWarmStore();
    await writeFile(store.cacheFile, 'garbage');
    const trust = await store.open();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.actions()).toEqual(['cache_failed', 'trust_on_first_use']);
    expect(JSON.parse(await readFile(store.cacheFile, 'utf8'))).toMatchObject({ rootSha256: sha256(own) });
  });

  it('is reported when it cannot be written, and the fetched set is used all the same', async () => {
    await using store = await openStore();
    await writeFile(join(store.folder, 'trust'), 'a file where a folder should be');
    const trust = await store.open();
    expect(trust.states()).toHaveLength(1);
    expect(store.actions()).toEqual(['cache_failed', 'cache_failed', 'trust_on_first_use']);
  });

  it('is of no use to other URLs', async () => {
    await using store = await openWarmStore();
    store.directory.misbehaviour = misbehaviours.fail;
    const trust = await store.open({ anchor: { urls: [`${store.directory.origin}/chain.pem`] } });
    expect(trust.states()).toEqual([]);
    expect(store.actions()).toEqual(['fetch_failed']);
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
        { path: 'trust.anchors[0].files[0]', found: expect.stringContaining('labelled PRIVATE KEY') },
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

it('pauses at most one refresh, at least half of a backoff, and never longer than a timer can', () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (failures, refresh, random) => {
        const milliseconds = pause({ failures, refresh, random });
        expect(milliseconds).toBeLessThanOrEqual(Math.min(refresh, 2 ** 31 - 1));
        expect(milliseconds).toBeGreaterThanOrEqual(
          Math.min(refresh, failures === 0 ? 2 ** 31 - 1 : 1000) / 2,
        );
      },
    ),
  );
});
