/** The service of key sets: keeps every configured set current while its file, its URL and the configuration change. */
import { nodeTimers, type Timers } from '../fetch/timers.ts';
import { describeSkipped, type PublicJwk } from '../jose/key-set.ts';
import { KeySetFeed } from './key-set-feed.ts';
import type { FileKeySource, KeySetsSettings, KeySource, UriKeySource } from './settings.ts';
import { diffKeys, judgeUses, type KeySetState, type KeysAction, type KeysEvent } from './state.ts';

export interface KeySetsOptions {
  /** When aborted, fetches end at once; after that no state changes and no callback is called. */
  readonly signal: AbortSignal;
  /** Called when the keys in use changed other than by applying a configuration. */
  readonly onChange: () => void;
  readonly onEvent: (event: KeysEvent) => void;
  /** Called for each signature for which a relay thread wants a newer set: its `kid` is not in the set, or it names none. */
  readonly onUnknownKid: (source: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timers?: Timers;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

type Entry = FileKeySource | KeySetFeed;

/** Has no sets before the first `prepare` is applied. */
export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #entries: ReadonlyMap<string, Entry> = new Map();
  /** What the last `changed` event of each set reported. */
  readonly #reported = new Map<string, readonly PublicJwk[]>();
  /** The skipped keys that were reported and are still skipped, by set. */
  readonly #skipped = new Map<string, ReadonlySet<string>>();
  /** What was reported as lacking and still is, by set. */
  readonly #lacks = new Map<string, string>();
  #hasBegun = false;

  constructor(options: KeySetsOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
  }

  /** Every configured set, in the order of the configuration. */
  states(): KeySetState[] {
    return [...this.#entries.values()].map(stateOf);
  }

  /**
   * Opens the sets that are new: each uses its cached set, whose URL is fetched within a second; without one it is fetched
   * before this resolves, all at the same time and for at most 10 s. If that fails there is no error: the set is without
   * keys until it is fetched. Changes nothing; the result applies the settings, synchronously. Never rejects.
   */
  async prepare({ sources, cacheDir }: KeySetsSettings): Promise<() => void> {
    const entries = await Promise.all(
      sources.map(async (source): Promise<readonly [KeySource, Entry]> => {
        if (source.kind === 'file') return [source, source];
        const current = this.#entries.get(source.source);
        if (current instanceof KeySetFeed) return [source, current];
        const feed = this.#open(source, cacheDir);
        await feed.start();
        return [source, feed];
      }),
    );
    return () => this.#apply(entries);
  }

  /** Fetches every set from a URL now; resolves when each fetch succeeded or failed. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.now()));
  }

  /**
   * For a signature whose `kid` no key of the set has. Fetches the set, at most once in 30 s; calls in the meantime join a
   * fetch in progress, or resolve at once. Resolves, after `onChange` was called for the result, with whether the keys are
   * those of the last fetch: the caller then looks for the `kid` once more, since it may have seen older ones. False:
   * nothing was fetched, because the fetch failed, the set is from a file, or there is no such set. Never rejects.
   */
  async refreshFor(source: string): Promise<boolean> {
    const entry = this.#entries.get(source);
    if (entry === undefined || this.#signal.aborted) return false;
    this.#options.onUnknownKid(source);
    return entry instanceof KeySetFeed ? entry.nowForUnknownKid() : false;
  }

  /** Ends every fetch and timer; after that no callback is called. */
  close(): void {
    this.#stop.abort();
    for (const feed of this.#feeds) feed.end();
  }

  #open(source: UriKeySource, cacheDir: string): KeySetFeed {
    const { clock = Date.now, timers = nodeTimers, random = Math.random, onEvent, onChange } = this.#options;
    return new KeySetFeed({
      ...{ source, cacheDir, clock, timers, random, signal: this.#signal },
      report: (action: KeysAction, detail?: string) =>
        onEvent({ type: 'keys', action, source: source.source, ...(detail === undefined ? {} : { detail }) }),
      onFetched: () => {
        if (this.#reportChanges('by its source')) onChange();
      },
    });
  }

  #apply(entries: readonly (readonly [KeySource, Entry])[]): void {
    const before = this.#entries;
    this.#entries = new Map(entries.map(([{ source }, entry]) => [source, entry]));
    const kept = new Set(this.#entries.values());
    for (const entry of before.values()) if (entry instanceof KeySetFeed && !kept.has(entry)) entry.end();
    if (this.#signal.aborted) return;
    const known = new Set(before.values());
    for (const [source, entry] of entries) {
      if (!(entry instanceof KeySetFeed) || source.kind === 'file') continue;
      if (known.has(entry)) entry.update(source);
      else entry.begin();
    }
    this.#reportChanges(this.#hasBegun ? 'by the configuration' : 'at the start');
    this.#hasBegun = true;
  }

  /** Reports each change of the keys in use once. Returns whether there was one. */
  #reportChanges(detail: string): boolean {
    if (this.#signal.aborted) return false;
    const states = new Map(this.states().map((state) => [state.source, state]));
    let hasChanged = false;
    for (const source of new Set([...states.keys(), ...this.#reported.keys()])) {
      const state = states.get(source);
      this.#reportSkipped(source, state);
      const [before, after] = [this.#reported.get(source), state?.keys ?? null];
      // The first set of a source is a change though it has no keys: until then nothing was known.
      if ((before === undefined) !== (after === null)) hasChanged = true;
      const diff = diffKeys(before ?? [], after ?? []);
      if (after === null) this.#reported.delete(source);
      else this.#reported.set(source, after);
      if (diff !== null) {
        hasChanged = true;
        this.#options.onEvent({ type: 'keys', action: 'changed', source, detail, ...diff });
      }
      this.#reportLack(source, state?.lack ?? null);
    }
    return hasChanged;
  }

  #reportSkipped(source: string, state: KeySetState | undefined): void {
    const before = this.#skipped.get(source);
    const now = new Set(state?.skipped.map(describeSkipped));
    for (const detail of now) {
      if (before?.has(detail) !== true)
        this.#options.onEvent({ type: 'keys', action: 'passed_over', source, detail });
    }
    if (now.size === 0) this.#skipped.delete(source);
    else this.#skipped.set(source, now);
  }

  #reportLack(source: string, lack: string | null): void {
    if (lack === null) this.#lacks.delete(source);
    else if (this.#lacks.get(source) !== lack) {
      this.#lacks.set(source, lack);
      this.#options.onEvent({ type: 'keys', action: 'no_usable_key', source, detail: lack });
    }
  }

  get #feeds(): readonly KeySetFeed[] {
    return [...this.#entries.values()].filter((entry) => entry instanceof KeySetFeed);
  }
}

function stateOf(entry: Entry): KeySetState {
  if (entry instanceof KeySetFeed) return entry.state;
  const { source, keys, skipped, readAt, uses } = entry;
  return {
    ...{ source, kind: 'file', keys, skipped, fetchedAt: readAt, problem: null },
    ...judgeUses(keys, uses),
  };
}
