/** Keeps one key set from a URL current: the fetch, the check, the last good set on disk. */
import { pause } from '../fetch/backoff.ts';
import { type Fetched, fetchResource } from '../fetch/http-fetch.ts';
import { PeriodicTask } from '../fetch/periodic-task.ts';
import type { Timers } from '../fetch/timers.ts';
import { type KeySetReading, MAX_KEY_SET_BYTES, readKeySet } from '../jose/key-set.ts';
import { loadKeySet, type StoredKeySet, saveKeySet } from './disk-cache.ts';
import type { UriKeySource } from './settings.ts';
import type { KeySetState, KeysAction } from './state.ts';

export interface FeedOptions {
  readonly source: UriKeySource;
  readonly cacheDir: string;
  readonly clock: () => number;
  readonly timers: Timers;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly report: (action: KeysAction, detail?: string) => void;
  /** Called after each fetch that `start` did not make. */
  readonly onFetched: () => void;
  /** Aborted when the gateway stops: after that nothing is reported or changed. */
  readonly signal: AbortSignal;
}

type Usable = KeySetReading & { readonly ok: true };

/** Milliseconds from the DNS look-up to the last byte. */
const FETCH_MS = 10_000;
/** Milliseconds between two fetches for an unknown `kid`. */
export const UNKNOWN_KID_MS = 30_000;

export class KeySetFeed {
  readonly #options: FeedOptions;
  readonly #task: PeriodicTask;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #source: UriKeySource;
  #stored: StoredKeySet | null = null;
  #set: Usable | null = null;
  #origin: 'uri' | 'cache' = 'uri';
  #problem: string | null = null;
  /** Failed fetches in a row. */
  #failures = 0;
  /** Milliseconds since the epoch: when a fetch for an unknown `kid` last began. */
  #unknownKidAt = Number.NEGATIVE_INFINITY;
  /** The fetch for an unknown `kid` in progress. */
  #forUnknownKid: Promise<void> | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
    this.#task = new PeriodicTask({
      run: async () => {
        await this.#fetch();
        if (!this.#signal.aborted) options.onFetched();
      },
      delay: () =>
        pause({ failures: this.#failures, refresh: this.#source.refresh, random: options.random() }),
      timers: options.timers,
      signal: this.#signal,
    });
  }

  get state(): KeySetState {
    const { keys = null, skipped = [] } = this.#set ?? {};
    return {
      source: this.#source.source,
      kind: 'uri',
      keys,
      skipped,
      fetchedAt: this.#stored?.fetchedAt ?? null,
      problem: this.#problem,
    };
  }

  /** Uses the cached set; without a usable one the set is fetched before this resolves. Never rejects. */
  async start(): Promise<void> {
    const { cacheDir } = this.#options;
    const stored = await this.#attempt(() => loadKeySet({ cacheDir, source: this.#source.source }));
    if (stored) this.#restore(stored);
    if (this.#set === null) await this.#fetch();
    // A set from the cache counts as one failed fetch, so that its source is fetched within a second.
    else this.#failures = 1;
  }

  /** Schedules the next fetch. */
  begin(): void {
    this.#task.schedule();
  }

  /** Applies changed settings of the same URL. */
  update(source: UriKeySource): void {
    const { ca, refresh } = this.#source;
    this.#source = source;
    // Soon, because the other CA may be the reason that the fetch failed.
    if (source.ca !== ca) this.#failures = 1;
    if (source.ca !== ca || source.refresh < refresh) this.#task.schedule();
  }

  /** Fetches at once, or joins the fetch in progress. Resolves when it has succeeded or failed. */
  now(): Promise<void> {
    return this.#task.runNow();
  }

  /**
   * For a `kid` that no key of the set has: fetches, joins such a fetch in progress, or does nothing if one began less than
   * 30 s ago. Resolves with whether the keys now in use are those that the last fetch brought.
   */
  async nowForUnknownKid(): Promise<boolean> {
    // A fetch for another reason may have been answered before the key was published.
    if (this.#forUnknownKid === null && this.#task.isRunning) await this.now();
    const now = this.#options.clock();
    const elapsed = now - this.#unknownKidAt;
    // Negative: the clock was set back.
    const isAllowed = elapsed >= UNKNOWN_KID_MS || elapsed < 0;
    if (this.#forUnknownKid === null && isAllowed) {
      this.#unknownKidAt = now;
      this.#forUnknownKid = this.now().finally(() => {
        this.#forUnknownKid = null;
      });
    }
    await this.#forUnknownKid;
    return this.#set !== null && this.#problem === null && this.#origin === 'uri';
  }

  /** Ends every fetch; after that nothing is changed or reported. */
  end(): void {
    this.#stop.abort();
    void this.#task.end();
  }

  #restore(stored: StoredKeySet): void {
    const set = readKeySet(stored.bytes);
    if (!set.ok) return this.#report('refused', `from the cache: ${set.problem}`);
    this.#stored = stored;
    this.#set = set;
    this.#origin = 'cache';
    this.#report('from_cache');
  }

  async #fetch(): Promise<void> {
    const { source: url, ca } = this.#source;
    let fetched: Fetched;
    try {
      fetched = await fetchResource({
        purpose: 'KEYS',
        url,
        schemes: ['https'],
        accept: 'application/jwk-set+json, application/json',
        ca: ca === null ? undefined : Buffer.from(ca),
        validators: this.#stored ?? undefined,
        maxBytes: MAX_KEY_SET_BYTES,
        timeout: FETCH_MS,
        signal: this.#signal,
      });
    } catch (cause) {
      return this.#fail('fetch_failed', cause instanceof Error ? cause.message : String(cause));
    }
    if (this.#signal.aborted) return;
    const fetchedAt = this.#options.clock();
    if (fetched.status === 'unchanged') {
      // Only what is stored and in use has validators.
      if (this.#stored !== null && this.#set !== null)
        await this.#use({ ...this.#stored, fetchedAt }, this.#set);
      return;
    }
    const set = readKeySet(fetched.bytes);
    if (!set.ok) return this.#fail('refused', `${url}: ${set.problem}`);
    await this.#use({ source: url, fetchedAt, bytes: fetched.bytes, ...fetched.validators }, set);
  }

  #fail(action: 'fetch_failed' | 'refused', detail: string): void {
    if (this.#signal.aborted) return;
    this.#failures += 1;
    this.#problem = detail;
    this.#report(action, detail);
  }

  /** The state changes and is reported synchronously. */
  async #use(stored: StoredKeySet, set: Usable): Promise<void> {
    const isNews =
      this.#stored === null ||
      !this.#stored.bytes.equals(stored.bytes) ||
      this.#origin === 'cache' ||
      this.#problem !== null;
    this.#stored = stored;
    this.#set = set;
    this.#origin = 'uri';
    this.#problem = null;
    this.#failures = 0;
    if (isNews) this.#report('fetched');
    await this.#attempt(() => saveKeySet(this.#options.cacheDir, stored));
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (cause) {
      this.#report('cache_failed', cause instanceof Error ? cause.message : String(cause));
      return undefined;
    }
  }

  #report(action: KeysAction, detail?: string): void {
    if (!this.#signal.aborted) this.#options.report(action, detail);
  }
}
