/** A trust store over a real directory and a real folder: only clock, timers and random numbers are simulated. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timers } from '../../../src/fetch/pause.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { AnchorOptions } from '../../../src/trust/anchor.ts';
import { openTrust, type Trust } from '../../../src/trust/service.ts';
import type { TrustOptions } from '../../../src/trust/settings.ts';
import type { AnchorState, TrustEvent } from '../../../src/trust/state.ts';
import { temporaryFolder } from '../folder.ts';
import { type Authority, authority } from '../pki/authority.ts';
import { type Directory, openDirectory } from './directory.ts';

/** Start time of every test: milliseconds since the epoch. */
export const now = Date.UTC(2026, 0, 15);
export const day = 86_400_000;
export const own = authority({ now });
export const stranger = authority({ now });
export const sha256 = ({ root }: Authority) => parseCertificate(root.der).sha256;

export const filesOf = ({ root, issuing }: Authority) => ({
  '/root.pem': root.pem,
  '/issuing.pem': issuing.pem,
});
export const serve = (directory: Directory, files: Record<string, string>) => {
  for (const [path, content] of Object.entries(files)) directory.files.set(path, content);
};

/** Timers that only the test fires: every delay is recorded, `fire` fires the oldest timer. */
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
  /** Resolves when the work that the timer started is done. */
  async fire() {
    await this.pending.shift()?.run();
  }
}

/** `open` starts the trust store, each time over the same cache; its directory serves `own`. */
export async function openStore(options: Partial<TrustOptions> & { anchor?: Partial<AnchorOptions> } = {}) {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory(filesOf(own)));
  const folder = opened.use(await temporaryFolder());
  const caFile = join(folder.path, 'ca.pem');
  await writeFile(caFile, directory.pki.root.pem);
  const clock = { now };
  const timers = new ManualTimers();
  const events: TrustEvent[] = [];
  const changes: TrustEvent[] = [];
  const published: AnchorState[][] = [];
  const running = new Set<Trust>();
  const urls = [`${directory.origin}/root.pem`, `${directory.origin}/issuing.pem`];
  const configured: AnchorOptions = { name: 'own', urls, tls: { ca: caFile } };
  const settings = (variation: typeof options = {}) => {
    const { anchor, ...rest } = { ...options, ...variation };
    return {
      anchors: [{ ...configured, ...anchor }],
      requirePin: false,
      refresh: 3_600_000,
      cacheDir: join(folder.path, 'trust'),
      ...rest,
    };
  };
  const open = async (variation: typeof options = {}) => {
    const trust = await openTrust({
      onAnchors: (anchors) => published.push(anchors),
      onEvent: (event) => (event.action === 'changed' ? changes : events).push(event),
      clock: () => clock.now,
      timers,
      random: () => 0,
      ...settings(variation),
    });
    running.add(trust);
    return trust;
  };
  opened.defer(() => {
    for (const trust of running) trust.close();
  });
  const stack = opened.move();
  /** Events since the last call, without changes. */
  const actions = () => events.splice(0).map(({ action }) => action);
  /** Changes since the last call: kind, and the added and removed certificates. */
  const changed = () =>
    changes.splice(0).map(({ anchor, detail, added = [], removed = [] }) => ({
      anchor,
      detail,
      added: added.map(({ sha256 }) => sha256),
      removed: removed.map(({ sha256 }) => sha256),
    }));
  return {
    directory,
    configured,
    folder: folder.path,
    cacheDir: join(folder.path, 'trust'),
    cacheFile: join(folder.path, 'trust', 'own.json'),
    clock,
    timers,
    events,
    changes,
    published,
    actions,
    changed,
    /** The settings of `open`, for `update`. */
    settings,
    open,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A store that was open before: its cache is filled, and no event is pending. */
export async function openWarmStore() {
  const store = await openStore();
  (await store.open()).close();
  store.actions();
  store.changed();
  return store;
}

export const ders = (trust: Trust) =>
  trust.states().map(({ certificates }) => certificates.map(({ der }) => der));
