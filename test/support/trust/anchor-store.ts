/** A trust service over a real HTTPS server and a real cache folder; the test controls clock, timers and random numbers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timers } from '../../../src/fetch/timers.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { AnchorOptions } from '../../../src/trust/configured-anchors.ts';
import { TrustService } from '../../../src/trust/service.ts';
import type { TrustOptions } from '../../../src/trust/settings.ts';
import type { AnchorState, TrustEvent } from '../../../src/trust/state.ts';
import { temporaryFolder } from '../folder.ts';
import { type Authority, authority } from '../pki/authority.ts';
import { type Directory, openDirectory } from './directory.ts';

/** The clock at the start of each test, in milliseconds since the epoch. */
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

/** Timers that the test fires; `pending` lists the delays. */
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

/** `open` starts a trust service; repeated calls use the same cache. The directory serves `own`. */
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
  const running = new Set<TrustService>();
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
    const initial = {
      onAnchors: (anchors: AnchorState[]) => published.push(anchors),
      onEvent: (event: TrustEvent) => (event.action === 'changed' ? changes : events).push(event),
      clock: () => clock.now,
      timers,
      random: () => 0,
      ...settings(variation),
    };
    const trust = new TrustService(initial);
    await trust.update(initial);
    running.add(trust);
    return trust;
  };
  opened.defer(() => {
    for (const trust of running) trust.close();
  });
  const stack = opened.move();
  /** The actions of the events since the last call, without `changed`. */
  const actions = () => events.splice(0).map(({ action }) => action);
  /** The `changed` events since the last call, with the SHA-256 of added and removed certificates. */
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
    /** The settings that `open` uses, for `update`. */
    settings,
    open,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A store whose cache holds `own`, with the events of the first start removed. */
export async function openWarmStore() {
  const store = await openStore();
  (await store.open()).close();
  store.actions();
  store.changed();
  return store;
}

export const ders = (trust: TrustService) =>
  trust.states().map(({ certificates }) => certificates.map(({ der }) => der));
