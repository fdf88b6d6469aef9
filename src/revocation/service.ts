/** The revocation service of the control thread: fetches, verifies, stores and refreshes CRLs and OCSP responses. */
import { join } from 'node:path';
import { PeriodicTask } from '../fetch/periodic-task.ts';
import { nodeTimers, type Timers } from '../fetch/timers.ts';
import { AnchorRevocation } from './anchor-revocation.ts';
import { Cache } from './cache.ts';
import { CrlParser } from './crl/parser.ts';
import type { RevocationEvent, RevocationNotice, SourceState } from './event.ts';
import type { RevocationAnchor, RevocationMaterial } from './state.ts';

export interface RevocationOptions {
  /** The folders `crl/`, `ocsp/` and `leaves/` are created in it. */
  readonly cacheDir: string;
  /** Closes the service when aborted. */
  readonly signal?: AbortSignal;
  /** `material` of the anchor is a new object. */
  readonly onChange: (anchor: string) => void;
  readonly onEvent: (event: RevocationEvent) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timers?: Timers;
  /** From 0 to below 1. */
  readonly random?: () => number;
  /** Milliseconds for one fetch; default 60 s for a CRL, 10 s for OCSP. */
  readonly timeouts?: { readonly crl: number; readonly ocsp: number };
}

export interface Revocation extends AsyncDisposable {
  /**
   * Takes over the trust anchors as they are configured and trusted now: keeps the sources that stay, starts and ends
   * others, reads CRL files again. Resolves when the copies on disk have been read, before anything is fetched.
   */
  update(anchors: readonly RevocationAnchor[]): Promise<void>;
  /**
   * Tracks a leaf (DER) whose path is valid under this anchor. Resolves when each of its sources has answered once,
   * successfully or not; at once if they have. Never rejects.
   */
  contact(anchor: string, leaf: Uint8Array): Promise<void>;
  /** Resolves when each source of more than single leaves has answered once, or has a copy on disk. Never rejects. */
  firstAnswers(): Promise<void>;
  /** Fetches from every source now; resolves when each has answered, successfully or not. Never rejects. */
  refresh(): Promise<void>;
  /** The clock was set, or the machine was suspended: fetches what that affects, and restarts every delay. */
  wake(): void;
  /**
   * Drops the stored data of one address, or of all (null), in memory and on disk, and fetches it again. Resolves with
   * whether the anchor has such an address.
   */
  forget(anchor: string, address: string | null): Promise<boolean>;
  /** What is known now; the same object until something changes. Throws TypeError for an unknown anchor. */
  material(anchor: string): RevocationMaterial;
  sources(): SourceState[];
  /** Ends every fetch, timer and thread; no callback is called afterwards. */
  close(): Promise<void>;
}

const hour = 3_600_000;

export function openRevocation(options: RevocationOptions): Revocation {
  return new RevocationService(options);
}

class RevocationService implements Revocation {
  readonly #options: RevocationOptions;
  readonly #parser = new CrlParser();
  /** By name. */
  readonly #anchors = new Map<string, AnchorRevocation>();
  readonly #sweep: PeriodicTask;
  readonly #timers: Timers;
  #updating: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#timers = options.timers ?? nodeTimers;
    this.#sweep = new PeriodicTask({
      timers: this.#timers,
      delay: () => hour,
      run: async () => {
        for (const anchor of this.#anchors.values()) await anchor.sweep();
      },
    });
    this.#sweep.schedule();
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
    if (options.signal?.aborted) this.close();
  }

  update(anchors: readonly RevocationAnchor[]): Promise<void> {
    // In sequence: each update starts from the result of the one before.
    this.#updating = this.#updating.then(() => this.#update(anchors));
    return this.#updating;
  }

  async contact(anchor: string, leaf: Uint8Array): Promise<void> {
    if (this.#closed !== null) return;
    await this.#anchors.get(anchor)?.contact(leaf);
  }

  async firstAnswers(): Promise<void> {
    await Promise.all([...this.#anchors.values()].map((anchor) => anchor.firstAnswers()));
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#anchors.values()].map((anchor) => anchor.refresh()));
  }

  wake(): void {
    for (const anchor of this.#anchors.values()) anchor.wake();
    this.#sweep.schedule();
  }

  async forget(anchor: string, address: string | null): Promise<boolean> {
    return (await this.#anchors.get(anchor)?.forget(address)) ?? false;
  }

  material(anchor: string): RevocationMaterial {
    const found = this.#anchors.get(anchor);
    if (found === undefined) throw new TypeError(`the revocation service has no trust anchor ${anchor}`);
    return found.material;
  }

  sources(): SourceState[] {
    return [...this.#anchors.values()].flatMap((anchor) => anchor.sources());
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #update(anchors: readonly RevocationAnchor[]): Promise<void> {
    if (this.#closed !== null) return;
    const names = new Set(anchors.map(({ name }) => name));
    const removed = [...this.#anchors].filter(([name]) => !names.has(name));
    for (const [name] of removed) this.#anchors.delete(name);
    await Promise.all([
      ...removed.map(([, anchor]) => anchor.end()),
      ...anchors.map((anchor) => {
        const known = this.#anchors.get(anchor.name);
        return known === undefined ? this.#start(anchor) : known.update(anchor);
      }),
    ]);
  }

  #start(anchor: RevocationAnchor): Promise<void> {
    const { cacheDir, clock = Date.now, random = Math.random } = this.#options;
    const { timeouts = { crl: 60_000, ocsp: 10_000 } } = this.#options;
    const { name } = anchor;
    const report = (notice: RevocationNotice) => this.#report(name, notice);
    const revocation = new AnchorRevocation({
      ...{ anchor, clock, random, timers: this.#timers, parser: this.#parser, timeouts, report },
      folders: revocationFolders(cacheDir, name),
      cache: new Cache((detail) => report({ action: 'cache_failed', detail })),
      onMaterial: () => {
        if (this.#closed === null) this.#options.onChange(name);
      },
    });
    this.#anchors.set(name, revocation);
    return revocation.start();
  }

  #report(anchor: string, notice: RevocationNotice): void {
    if (this.#closed === null) this.#options.onEvent({ type: 'revocation', anchor, ...notice });
  }

  async #end(): Promise<void> {
    await Promise.all([
      this.#sweep.end(),
      this.#parser.close(),
      ...[...this.#anchors.values()].map((anchor) => anchor.end()),
    ]);
    await this.#updating;
  }
}

/** `anchor`: a name from the configuration: encoded and without dots it cannot leave the folder. */
export function revocationFolders(cacheDir: string, anchor: string) {
  const folder = encodeURIComponent(anchor).replaceAll('.', '%2E');
  return {
    crl: join(cacheDir, 'crl', folder),
    ocsp: join(cacheDir, 'ocsp', folder),
    leaves: join(cacheDir, 'leaves', folder),
  };
}
