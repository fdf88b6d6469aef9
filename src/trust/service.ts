/** Keeps every trust anchor current: its files, its URLs and its settings change, and only sound sets come through. */
import { nodeTimers } from '../fetch/timers.ts';
import { AnchorFeed } from './anchor-feed.ts';
import { diffAnchors } from './change.ts';
import {
  allowed,
  allowsRoot,
  hasSameSources,
  isSameAnchor,
  readConfiguredAnchors,
  TrustError,
  type UrlAnchor,
} from './configured-anchors.ts';
import { Schedule } from './fetch-schedule.ts';
import type { Accept, TrustOptions, TrustSettings } from './settings.ts';
import { type PassedOverReason, passedOverAt } from './skipped-certificates.ts';
import type { AnchorState } from './state.ts';

export interface Trust {
  /** Every usable anchor, in the order of the configuration; one that was never fetched is missing. */
  states(): AnchorState[];
  /**
   * Takes new settings whole, and answers what is usable then, or throws TrustError and changes nothing. Files are read
   * again; anchors from URLs that stay as they are go on undisturbed; what is new is taken from the cache or fetched
   * before the change, which one fetch can delay (10 s at most), and what is in use until then stays in use.
   */
  update(settings: TrustSettings): Promise<AnchorState[]>;
  /** Fetches every anchor from a URL now; resolves when each has been fetched, well or badly. Never rejects. */
  refresh(): Promise<void>;
  /** Looks at the dates of what is in use: tells of what has expired or become valid since the last look. */
  look(): void;
  /** Ends every fetch and timer; nothing is called from then on. */
  close(): void;
}

const acceptAll: Accept = () => null;

/**
 * Reads files, and takes what came from URLs from the cache: only what is not there is fetched before this resolves.
 * Throws TrustError for what is configured wrong.
 */
export async function openTrust(options: TrustOptions): Promise<Trust> {
  const trust = new LiveTrust(options);
  await trust.update(options);
  return trust;
}

const advice: Readonly<Record<PassedOverReason, string>> = {
  unreadable: 'remove it, or replace it by one that can be read',
  unusable: 'remove it, or replace it by one that can be used',
  expired: 'remove it, or put the renewed one in its place',
  not_yet_valid: 'it serves from then on',
};

/** An anchor from files, or one from URLs with all that keeps it current. */
type Entry = { readonly state: AnchorState } | Schedule;

class LiveTrust implements Trust {
  readonly #options: TrustOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #settings: TrustSettings;
  #entries: readonly Entry[] = [];
  /** What the last event told to be in use. */
  #told: AnchorState[] = [];
  /** What is passed over now, and was told. */
  #passedOver: ReadonlySet<string> = new Set();
  #updating: Promise<unknown> = Promise.resolve();

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#settings = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
  }

  states(): AnchorState[] {
    return this.#entries.flatMap(({ state }) => state ?? []);
  }

  /** One after the other, so that each judges what the one before it has left. */
  update(settings: TrustSettings): Promise<AnchorState[]> {
    const done = this.#updating.then(() => this.#update(settings));
    this.#updating = done.catch(() => {});
    return done;
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#schedules.map((schedule) => schedule.now()));
  }

  look(): void {
    if (!this.#signal.aborted && this.#tellPassedOver()) this.#options.onAnchors(this.states());
  }

  close(): void {
    this.#stop.abort();
    for (const schedule of this.#schedules) schedule.end();
  }

  async #update(settings: TrustSettings): Promise<AnchorState[]> {
    const { list = 'anchors', clock = Date.now } = this.#options;
    const { accept = acceptAll } = settings;
    const configured = await readConfiguredAnchors({ ...settings, list, accept, now: clock() });
    this.#refuseUnwanted(configured, accept);

    // Nothing fails from here on. Until the change is made, both the old word and the new one count for what stays.
    for (const { feed } of this.#schedules) {
      const { accept: earlier } = feed;
      feed.accept = (anchor) => earlier(anchor) ?? accept(anchor);
    }
    const begun: { schedule: Schedule; failures: number }[] = [];
    const entries = await Promise.all(
      configured.map(async (anchor): Promise<Entry> => {
        if (!('urls' in anchor)) return { state: anchor };
        const current = this.#find(anchor);
        if (current !== undefined && isSameAnchor(current.feed.anchor, anchor)) return current;
        await current?.end();
        const schedule = this.#newSchedule(anchor, settings);
        // A set from the cache counts as one failure: its sources are asked within a second.
        begun.push({ schedule, failures: (await schedule.feed.start(current?.feed)) ? 0 : 1 });
        return schedule;
      }),
    );
    if (this.#signal.aborted) return this.states();

    const kept = this.#schedules.filter((schedule) => entries.includes(schedule));
    for (const schedule of this.#schedules) if (!kept.includes(schedule)) schedule.end();
    const { cacheDir, refresh } = this.#settings;
    this.#entries = entries;
    this.#settings = settings;
    for (const schedule of kept) {
      schedule.feed.accept = accept;
      if (settings.refresh < refresh) schedule.hasten();
    }
    for (const { schedule, failures } of begun) schedule.begin(failures);
    this.#tell(settings === this.#options ? 'at the start' : 'by the configuration');
    if (cacheDir !== settings.cacheDir)
      await Promise.all(kept.map(({ feed }) => feed.moveTo(settings.cacheDir)));
    return this.states();
  }

  /** Throws TrustError where `accept` refuses what is in use and would stay so. */
  #refuseUnwanted(configured: readonly (AnchorState | UrlAnchor)[], accept: Accept): void {
    const { list = 'anchors' } = this.#options;
    const problems = configured.flatMap((anchor, index) => {
      if (!('urls' in anchor)) return [];
      const state = this.#find(anchor)?.state ?? null;
      if (state === null || !allowsRoot(anchor, state)) return [];
      const found = accept(state);
      return found === null ? [] : [{ path: `trust.${list}[${index}]`, found, allowed: allowed.anchor }];
    });
    if (problems.length > 0) throw new TrustError(problems);
  }

  #newSchedule(anchor: UrlAnchor, { cacheDir, accept = acceptAll }: TrustSettings): Schedule {
    const { list = 'anchors', clock = Date.now, onEvent: report, onAnchors } = this.#options;
    const { timers = nodeTimers, random = Math.random } = this.#options;
    const signal = this.#signal;
    return new Schedule({
      feed: new AnchorFeed({ anchor, list, cacheDir, accept, clock, report, signal }),
      timers,
      random,
      refresh: () => this.#settings.refresh,
      onDone: (what) => {
        if (this.#tell(what === 'fetch' ? 'by its sources' : 'by approval')) onAnchors(this.states());
      },
    });
  }

  /** Every change is told once, by whoever comes first after it; false: there was none. */
  #tell(detail: string): boolean {
    if (this.#signal.aborted) return false;
    const now = this.states();
    this.#tellPassedOver();
    const { added, removed } = diffAnchors(this.#told, now);
    this.#told = now;
    const [name = null, ...further] = new Set([...added, ...removed].map(({ anchor }) => anchor));
    if (name === null) return false;
    const anchor = further.length === 0 ? name : null;
    this.#options.onEvent({ type: 'trust', action: 'changed', anchor, added, removed, detail });
    return true;
  }

  /** True: something is passed over that was not before, or is no longer. */
  #tellPassedOver(): boolean {
    const { onEvent, clock = Date.now } = this.#options;
    const now = clock();
    const before = this.#passedOver;
    const told = new Set<string>();
    for (const state of this.states()) {
      for (const { reason, detail } of passedOverAt(state, now)) {
        const key = `${state.name} ${detail}`;
        told.add(key);
        if (before.has(key)) continue;
        const next = `${detail}: it is passed over; ${advice[reason]}`;
        onEvent({ type: 'trust', action: 'passed_over', anchor: state.name, detail: next });
      }
    }
    this.#passedOver = told;
    return told.size !== before.size || [...told].some((key) => !before.has(key));
  }

  #find(anchor: UrlAnchor): Schedule | undefined {
    return this.#schedules.find(({ feed }) => hasSameSources(feed.anchor, anchor));
  }

  get #schedules(): readonly Schedule[] {
    return this.#entries.filter((entry) => entry instanceof Schedule);
  }
}
