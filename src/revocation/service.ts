/** The revocation service of the control thread: fetches, reads, keeps and refreshes what tells of revocations. */
import { join } from 'node:path';
import { nodeTimers, type Timers } from '../fetch/pause.ts';
import { AnchorWatch } from './anchor-revocation.ts';
import { Cache } from './cache.ts';
import { CrlParser } from './crl/parser.ts';
import type { RevocationEvent, SourceState } from './event.ts';
import { Repetition } from './periodic-task.ts';
import type { Telling } from './source-failure.ts';
import type { RevocationMaterial } from './state.ts';
import type { RevocationSubject } from './subject.ts';

export type { RevocationSubject } from './subject.ts';

export interface RevocationOptions {
  /** `crl/`, `ocsp/` and `leaves/` are made below it. */
  readonly cacheDir: string;
  /** Aborted: everything ends at once, as with `close`. */
  readonly signal?: AbortSignal;
  /** The anchor's material is another one than before. */
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
   * Takes over what is configured and trusted now: feeds of addresses that stay are kept running, others begin or end,
   * files are looked at. Resolves when what is on disk has been read, before anything was fetched.
   */
  update(subjects: readonly RevocationSubject[]): Promise<void>;
  /**
   * A leaf (DER) whose path passed under this anchor is looked after from now on. Resolves when each of its sources
   * has answered once, well or badly; at once where they have. Never rejects.
   */
  contact(anchor: string, leaf: Uint8Array): Promise<void>;
  /** Resolves when every source that is wanted for more than single leaves has answered once. Never rejects. */
  settled(): Promise<void>;
  /** Asks every source now; resolves when each has answered, well or badly. Never rejects. */
  refresh(): Promise<void>;
  /** The clock was set, or the machine slept: what that concerns is asked for now, and every pause is counted anew. */
  wake(): void;
  /**
   * Drops what is kept of one address, or of all (null), in memory and on disk, and asks anew. Resolves with whether
   * the anchor has such an address.
   */
  forget(anchor: string, address: string | null): Promise<boolean>;
  /** What is known now: the same object while nothing changes. Throws TypeError for an anchor that is not looked after. */
  material(anchor: string): RevocationMaterial;
  sources(): SourceState[];
  /** Ends every fetch, timer and thread; nothing is called from then on. */
  close(): Promise<void>;
}

const hour = 3_600_000;

export function openRevocation(options: RevocationOptions): Revocation {
  return new RevocationService(options);
}

class RevocationService implements Revocation {
  readonly #options: RevocationOptions;
  readonly #parser = new CrlParser();
  readonly #watches = new Map<string, AnchorWatch>();
  readonly #sweep: Repetition;
  readonly #timers: Timers;
  #updating: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#timers = options.timers ?? nodeTimers;
    this.#sweep = new Repetition({
      timers: this.#timers,
      pause: () => hour,
      turn: async () => {
        for (const watch of this.#watches.values()) await watch.sweep();
      },
    });
    this.#sweep.schedule();
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
    if (options.signal?.aborted) this.close();
  }

  update(subjects: readonly RevocationSubject[]): Promise<void> {
    // One after the other: each begins with what the one before has left.
    this.#updating = this.#updating.then(() => this.#update(subjects));
    return this.#updating;
  }

  async contact(anchor: string, leaf: Uint8Array): Promise<void> {
    if (this.#closed !== null) return;
    await this.#watches.get(anchor)?.contact(leaf);
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.settled()));
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.refresh()));
  }

  wake(): void {
    for (const watch of this.#watches.values()) watch.wake();
    this.#sweep.schedule();
  }

  async forget(anchor: string, address: string | null): Promise<boolean> {
    return (await this.#watches.get(anchor)?.forget(address)) ?? false;
  }

  material(anchor: string): RevocationMaterial {
    const watch = this.#watches.get(anchor);
    if (watch === undefined) throw new TypeError(`anchor ${anchor} is not looked after`);
    return watch.material;
  }

  sources(): SourceState[] {
    return [...this.#watches.values()].flatMap((watch) => watch.sources());
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #update(subjects: readonly RevocationSubject[]): Promise<void> {
    if (this.#closed !== null) return;
    const names = new Set(subjects.map(({ name }) => name));
    const gone = [...this.#watches].filter(([name]) => !names.has(name));
    for (const [name] of gone) this.#watches.delete(name);
    await Promise.all([
      ...gone.map(([, watch]) => watch.end()),
      ...subjects.map((subject) => {
        const watch = this.#watches.get(subject.name);
        return watch === undefined ? this.#begin(subject) : watch.update(subject);
      }),
    ]);
  }

  #begin(subject: RevocationSubject): Promise<void> {
    const { cacheDir, clock = Date.now, random = Math.random } = this.#options;
    const { timeouts = { crl: 60_000, ocsp: 10_000 } } = this.#options;
    const { name } = subject;
    const tell = (telling: Telling) => this.#tell(name, telling);
    // Names are the operator's words: encoded, and without dots, none of them can leave the folder.
    const folder = encodeURIComponent(name).replaceAll('.', '%2E');
    const watch = new AnchorWatch({
      ...{ subject, clock, random, timers: this.#timers, parser: this.#parser, timeouts, tell },
      folders: {
        crl: join(cacheDir, 'crl', folder),
        ocsp: join(cacheDir, 'ocsp', folder),
        leaves: join(cacheDir, 'leaves', folder),
      },
      cache: new Cache((detail) => tell({ action: 'cache_failed', detail })),
      onMaterial: () => {
        if (this.#closed === null) this.#options.onChange(name);
      },
    });
    this.#watches.set(name, watch);
    return watch.start();
  }

  #tell(anchor: string, telling: Telling): void {
    if (this.#closed === null) this.#options.onEvent({ type: 'revocation', anchor, ...telling });
  }

  async #end(): Promise<void> {
    await Promise.all([
      this.#sweep.end(),
      this.#parser.close(),
      ...[...this.#watches.values()].map((watch) => watch.end()),
    ]);
    await this.#updating;
  }
}
