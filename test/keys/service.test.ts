/** Key sets from URLs and files over time, with a real HTTPS server and a real cache folder. */
import { createPublicKey } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Timers } from '../../src/fetch/timers.ts';
import { readKeySet } from '../../src/jose/key-set.ts';
import type { KeySetUse } from '../../src/jose/key-set-use.ts';
import { KeySets } from '../../src/keys/service.ts';
import type { KeySource, UriKeySource } from '../../src/keys/settings.ts';
import type { KeysEvent } from '../../src/keys/state.ts';
import { makeKey } from '../../src/pki/key.ts';
import { temporaryFolder } from '../support/folder.ts';
import { misbehaviours, openDirectory } from '../support/trust/directory.ts';

const start = Date.UTC(2026, 0, 15);
const hour = 3_600_000;

const jwk = (kid: string) => ({ ...createPublicKey(makeKey('P-256')).export({ format: 'jwk' }), kid });
const [a, b, c] = [jwk('a'), jwk('b'), jwk('c')];
const weak = { ...createPublicKey(makeKey('rsa-1024')).export({ format: 'jwk' }), kid: 'weak' };
const secret = { ...makeKey('P-256').export({ format: 'jwk' }), kid: 'secret' };
const uses: KeySetUse[] = [{ kind: 'signatures', algorithms: ['ES256'], needsKid: false, isEnforced: true }];
const setOf = (...keys: object[]) => JSON.stringify({ keys });

/** Timers that the test fires. */
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
  /** Fires the oldest timer; resolves when the task that it started has ended. */
  async fire() {
    await this.pending.shift()?.run();
  }
}

async function openStage(set: string | null = setOf(a)) {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory(set === null ? {} : { '/jwks': set }));
  const folder = opened.use(await temporaryFolder());
  const clock = { now: start };
  const timers = new ManualTimers();
  const events: KeysEvent[] = [];
  const calls = { changes: 0, unknownKids: 0 };
  const uri = `${directory.origin}/jwks`;
  const source: UriKeySource = { kind: 'uri', source: uri, ca: directory.pki.root.pem, refresh: hour, uses };
  const running: KeySets[] = [];
  const settings = (...sources: KeySource[]) => ({ sources, cacheDir: folder.path });
  const open = async (...sources: KeySource[]) => {
    const keys = new KeySets({
      signal: new AbortController().signal,
      onChange: () => (calls.changes += 1),
      onEvent: (event) => events.push(event),
      onUnknownKid: () => (calls.unknownKids += 1),
      clock: () => clock.now,
      timers,
      random: () => 0,
    });
    running.push(keys);
    (await keys.prepare(settings(...(sources.length === 0 ? [source] : sources))))();
    return keys;
  };
  opened.defer(() => {
    for (const keys of running) keys.close();
  });
  const stack = opened.move();
  return {
    ...{ directory, clock, timers, events, calls, uri, source, settings, open, folder: folder.path },
    serve: (...keys: object[]) => directory.files.set('/jwks', setOf(...keys)),
    /** The actions since the last call. */
    actions: () => events.splice(0).map(({ action }) => action),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const kids = (keys: KeySets) => keys.states().map((state) => state.keys?.map(({ kid }) => kid) ?? null);

function fileSource(...keys: object[]): KeySource {
  const set = readKeySet(Buffer.from(setOf(...keys)));
  if (!set.ok) throw new Error(set.problem);
  return {
    kind: 'file',
    source: '/etc/keys.json',
    keys: set.keys,
    skipped: set.skipped,
    readAt: start,
    uses,
  };
}

describe('a key set without a key for its use', () => {
  const encryption = { ...a, use: 'enc' };

  it('is reported once, until a key for it is published', async () => {
    await using stage = await openStage(setOf(encryption));
    const keys = await stage.open();
    const [lack] = stage.events.splice(0).filter(({ action }) => action === 'no_usable_key');
    const detail =
      'no key that can verify a signature of ES256: kid a is not for signatures (use or key_ops)';
    expect(lack).toEqual({ type: 'keys', action: 'no_usable_key', source: stage.uri, detail });
    expect(keys.states()).toMatchObject([{ usable: 0, lack: detail }]);
    await stage.timers.fire();
    expect(stage.actions()).toEqual([]);
    stage.serve(encryption, b);
    await stage.timers.fire();
    expect(stage.actions()).toEqual(['fetched', 'changed']);
    expect(keys.states()).toMatchObject([{ usable: 1, lack: null }]);
    stage.serve();
    await stage.timers.fire();
    expect(stage.actions()).toEqual(['fetched', 'changed', 'no_usable_key']);
  });

  it('is judged by the use with the fewest keys, and not at all where no use needs a key', async () => {
    await using stage = await openStage(setOf(a));
    const both: KeySetUse[] = [...uses, { kind: 'clients', compare: 'certificate', isEnforced: true }];
    const keys = await stage.open({ ...stage.source, uses: both });
    expect(keys.states()).toMatchObject([{ usable: 0, lack: expect.stringContaining('x5c') }]);
    (await keys.prepare(stage.settings({ ...stage.source, uses: [] })))();
    expect(keys.states()).toMatchObject([{ usable: null, lack: null }]);
  });
});

describe('a key set whose keys have no kid', () => {
  const { kid: _, ...nameless } = a;
  const named = { ...uses[0], needsKid: true } as KeySetUse;

  it('serves messages that name no key', async () => {
    await using stage = await openStage(setOf(nameless));
    expect((await stage.open()).states()).toMatchObject([{ usable: 1, lack: null }]);
  });

  it.each([
    [true, 0],
    [false, null],
  ])('lacks one for messages that name their key; enforced: %s', async (isEnforced, usable) => {
    await using stage = await openStage(setOf(nameless));
    const keys = await stage.open({ ...stage.source, uses: [{ ...named, isEnforced }] });
    expect(keys.states()).toMatchObject([{ usable, lack: expect.stringContaining('has no kid') }]);
  });
});

describe('a key set from a URL', () => {
  it('is fetched before the settings are applied, and its keys are reported by kid and thumbprint', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    expect(keys.states()).toMatchObject([
      { source: stage.uri, kind: 'uri', fetchedAt: start, problem: null, keys: [{ kid: 'a' }] },
    ]);
    const [, changed] = stage.events;
    expect(stage.events).toMatchObject([{ action: 'fetched' }, { action: 'changed', removed: [] }]);
    expect(changed).toEqual({
      type: 'keys',
      action: 'changed',
      source: stage.uri,
      detail: 'at the start',
      added: [{ kid: 'a', thumbprint: expect.stringMatching(/^[\w-]{43}$/), certificate: null }],
      removed: [],
    });
    expect(stage.calls.changes).toBe(0);
  });

  it('is fetched again after `refresh`, and a change is reported once', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.actions();
    expect(stage.timers.pending).toMatchObject([{ milliseconds: hour }]);
    stage.clock.now += hour;
    await stage.timers.fire();
    expect([keys.states()[0]?.fetchedAt, stage.actions(), stage.calls.changes]).toEqual([
      start + hour,
      [],
      0,
    ]);
    stage.serve(b, c);
    await stage.timers.fire();
    expect(kids(keys)).toEqual([['b', 'c']]);
    expect(stage.events).toMatchObject([
      { action: 'fetched' },
      {
        action: 'changed',
        detail: 'by its source',
        added: [{ kid: 'b' }, { kid: 'c' }],
        removed: [{ kid: 'a' }],
      },
    ]);
    expect(stage.calls.changes).toBe(1);
  });

  it('is confirmed by 304 without its content', async () => {
    await using stage = await openStage();
    stage.directory.misbehaviour = (request, response) => {
      const isKnown = request.headers['if-none-match'] === '"1"';
      response.writeHead(isKnown ? 304 : 200, { etag: '"1"' }).end(isKnown ? undefined : setOf(a));
    };
    const keys = await stage.open();
    stage.clock.now += hour;
    await stage.timers.fire();
    expect(stage.directory.requests.map(({ status }) => status)).toEqual([200, 304]);
    expect(keys.states()).toMatchObject([{ fetchedAt: start + hour, keys: [{ kid: 'a' }] }]);
  });

  it.each([
    ['fails', misbehaviours.fail, 'fetch_failed', /the server answered 503/],
    ['redirects', misbehaviours.redirect, 'fetch_failed', /the server answered 302/],
    ['is cut off', misbehaviours.cut, 'fetch_failed', /aborted|terminated|ECONNRESET/],
    ['serves HTML', html('<!doctype html><p>502'), 'refused', /an HTML or XML page/],
    [
      'serves a private key',
      html(setOf(a, secret)),
      'refused',
      /a private or symmetric key, keys\[1\] \(kid secret\)/,
    ],
    ['serves a symmetric key', html(setOf({ kty: 'oct', k: 'c2VjcmV0', kid: 'h' })), 'refused', /\(kid h\)/],
    ['serves weak keys only', html(setOf(weak)), 'refused', /an RSA key of 1024 bits/],
    ['serves more than 1 MiB', html(' '.repeat(1024 * 1024 + 1)), 'fetch_failed', /more than 1048576 bytes/],
  ] as const)('keeps its last good keys when its source %s', async (_what, misbehaviour, action, detail) => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.actions();
    stage.directory.misbehaviour = misbehaviour;
    await stage.timers.fire();
    expect(kids(keys)).toEqual([['a']]);
    expect(stage.events).toMatchObject([{ action, detail: expect.stringMatching(detail) }]);
    expect(keys.states()).toMatchObject([{ fetchedAt: start, problem: expect.stringMatching(detail) }]);
    expect(stage.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    expect(JSON.stringify(stage.events)).not.toContain(String((secret as { d?: string }).d));

    stage.actions();
    stage.directory.misbehaviour = null;
    await stage.timers.fire();
    expect([stage.actions(), keys.states()[0]?.problem]).toEqual([['fetched'], null]);
  });

  it('is without keys, and no error, while its source fails and nothing is cached', async () => {
    await using stage = await openStage();
    stage.directory.misbehaviour = misbehaviours.fail;
    const keys = await stage.open();
    expect(keys.states()).toMatchObject([
      { keys: null, fetchedAt: null, problem: expect.stringContaining('503') },
    ]);
    expect(stage.actions()).toEqual(['fetch_failed']);
    stage.directory.misbehaviour = null;
    await stage.timers.fire();
    expect(kids(keys)).toEqual([['a']]);
    expect([stage.actions(), stage.calls.changes]).toEqual([['fetched', 'changed'], 1]);
  });

  it('is not fetched from a server that another CA certified', async () => {
    await using stage = await openStage();
    const keys = await stage.open({ ...stage.source, ca: null });
    expect(kids(keys)).toEqual([null]);
    expect(stage.events).toMatchObject([
      { action: 'fetch_failed', detail: expect.stringMatching(/SELF_SIGNED|UNABLE|self-signed/) },
    ]);
    expect(stage.directory.requests).toEqual([]);
  });

  it('comes into use though it has no keys, and that is a change', async () => {
    await using stage = await openStage();
    stage.directory.misbehaviour = misbehaviours.fail;
    const keys = await stage.open();
    stage.directory.misbehaviour = null;
    stage.serve();
    await stage.timers.fire();
    expect([kids(keys), stage.calls.changes]).toEqual([[[]], 1]);
  });

  it('names each key that it does not use, once', async () => {
    await using stage = await openStage(setOf(a, weak));
    await stage.open();
    await stage.timers.fire();
    expect(stage.events.filter(({ action }) => action === 'passed_over')).toEqual([
      {
        type: 'keys',
        action: 'passed_over',
        source: stage.uri,
        detail: 'keys[1] (kid weak): it is an RSA key of 1024 bits, fewer than 2048',
      },
    ]);
  });
});

describe('the last good set on disk', () => {
  it('is used at a start without its source, and is replaced as soon as the source answers', async () => {
    await using stage = await openStage();
    (await stage.open()).close();
    stage.actions();
    stage.timers.pending.splice(0);
    stage.directory.misbehaviour = misbehaviours.hang;
    stage.clock.now += hour;
    const keys = await stage.open();
    expect(keys.states()).toMatchObject([{ keys: [{ kid: 'a' }], fetchedAt: start }]);
    expect(stage.actions()).toEqual(['from_cache', 'changed']);
    expect(stage.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    stage.directory.misbehaviour = null;
    stage.serve(b);
    await stage.timers.fire();
    expect([kids(keys), stage.actions()]).toEqual([[['b']], ['fetched', 'changed']]);
  });

  it('is not used where it was damaged: the set is fetched', async () => {
    await using stage = await openStage();
    (await stage.open()).close();
    const [name = ''] = await readdir(join(stage.folder, 'keys'));
    const file = join(stage.folder, 'keys', name);
    const stored = JSON.parse(await readFile(file, 'utf8'));
    for (const [damaged, action] of [
      ['{', 'cache_failed'],
      [JSON.stringify({ ...stored, bytes: Buffer.from(setOf(secret)).toString('base64') }), 'refused'],
    ] as const) {
      await writeFile(file, damaged);
      stage.actions();
      const keys = await stage.open();
      expect(kids(keys)).toEqual([['a']]);
      expect(stage.actions()).toEqual([action, 'fetched', 'changed']);
    }
  });

  it('is of its URL only', async () => {
    await using stage = await openStage();
    (await stage.open()).close();
    const keys = await stage.open({ ...stage.source, source: `${stage.directory.origin}/other` });
    expect(kids(keys)).toEqual([null]);
  });
});

describe('an unknown kid', () => {
  it('fetches the set, at most once in 30 s, and every call is counted', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.serve(a, b);
    expect(await keys.refreshFor(stage.uri)).toBe(true);
    expect(kids(keys)).toEqual([['a', 'b']]);
    stage.serve(a, b, c);
    stage.clock.now += 29_999;
    const answers = await Promise.all(Array.from({ length: 500 }, () => keys.refreshFor(stage.uri)));
    expect(new Set(answers)).toEqual(new Set([true]));
    expect([kids(keys), stage.directory.requests.length]).toEqual([[['a', 'b']], 2]);
    stage.clock.now += 1;
    await keys.refreshFor(stage.uri);
    expect([kids(keys), stage.directory.requests.length]).toEqual([[['a', 'b', 'c']], 3]);
    expect(stage.calls.unknownKids).toBe(502);
  });

  it('waits for the fetch that another one started, so that a rotation refuses no message', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.serve(b);
    const changes: (readonly (string | null)[] | null)[][] = [];
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        expect(await keys.refreshFor(stage.uri)).toBe(true);
        changes.push(kids(keys));
      }),
    );
    expect(changes).toEqual(Array(50).fill([['b']]));
    expect([stage.directory.requests.length, stage.calls.changes]).toEqual([2, 1]);
  });

  it('is answered with false where the fetch failed, where the set is from a file, and where there is no such set', async () => {
    await using stage = await openStage();
    const keys = await stage.open(stage.source, fileSource(a));
    stage.directory.misbehaviour = misbehaviours.fail;
    expect(await keys.refreshFor(stage.uri)).toBe(false);
    expect(await keys.refreshFor(stage.uri)).toBe(false);
    expect(await keys.refreshFor('/etc/keys.json')).toBe(false);
    expect(await keys.refreshFor('https://nowhere.example/jwks')).toBe(false);
    expect(stage.directory.requests.length).toBe(2);
  });
});

describe('a changed configuration', () => {
  it('opens new sets, ends removed ones and keeps the others without a fetch', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.directory.files.set('/more', setOf(c));
    stage.actions();
    const more = { ...stage.source, source: `${stage.directory.origin}/more` };
    (await keys.prepare(stage.settings(stage.source, more)))();
    expect(kids(keys)).toEqual([['a'], ['c']]);
    expect(stage.events).toMatchObject([
      { action: 'fetched', source: more.source },
      { action: 'changed', source: more.source, detail: 'by the configuration' },
    ]);
    (await keys.prepare(stage.settings(more)))();
    expect(kids(keys)).toEqual([['c']]);
    expect(stage.events.at(-1)).toMatchObject({ source: stage.uri, added: [], removed: [{ kid: 'a' }] });
    expect(stage.directory.requests.map(({ path }) => path)).toEqual(['/jwks', '/more']);
    expect(stage.timers.pending.length).toBe(1);
  });

  it('changes nothing until it is applied', async () => {
    await using stage = await openStage();
    const keys = await stage.open();
    stage.directory.files.set('/more', setOf(c));
    await keys.prepare(stage.settings({ ...stage.source, source: `${stage.directory.origin}/more` }));
    expect(kids(keys)).toEqual([['a']]);
    expect(stage.timers.pending.length).toBe(1);
  });

  it('with another CA fetches the set within a second', async () => {
    await using stage = await openStage();
    const keys = await stage.open({ ...stage.source, ca: null });
    (await keys.prepare(stage.settings(stage.source)))();
    expect(stage.timers.pending).toMatchObject([{ milliseconds: 1000 }]);
    await stage.timers.fire();
    expect(kids(keys)).toEqual([['a']]);
  });

  it('replaces the keys of a file, and reports the difference', async () => {
    await using stage = await openStage();
    const keys = await stage.open(fileSource(a, b));
    stage.actions();
    (await keys.prepare(stage.settings(fileSource(b, c))))();
    expect(kids(keys)).toEqual([['b', 'c']]);
    expect(stage.events).toMatchObject([
      { action: 'changed', source: '/etc/keys.json', added: [{ kid: 'c' }], removed: [{ kid: 'a' }] },
    ]);
  });
});

it('reports and changes nothing after it is closed', async () => {
  await using stage = await openStage();
  const keys = await stage.open();
  stage.actions();
  stage.directory.misbehaviour = misbehaviours.hang;
  const refreshed = keys.refresh();
  keys.close();
  await refreshed;
  expect([stage.actions(), stage.calls.changes, stage.timers.pending.length]).toEqual([[], 0, 0]);
});

function html(body: string) {
  return ((_request, response) => response.writeHead(200).end(body)) satisfies typeof misbehaviours.fail;
}
