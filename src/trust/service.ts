/** The trust service: keeps every trust anchor current while its files, its URLs and the configuration change. */
import { nodeTimers } from '../fetch/timers.ts';
import { diffAnchors } from './anchor-changes.ts';
import { AnchorFeed } from './anchor-feed.ts';
import {
  allowed,
  allowsRoot,
  hasSameSources,
  readConfiguredAnchors,
  TrustError,
  type UrlAnchor,
} from './configured-anchors.ts';
import { FetchSchedule } from './fetch-schedule.ts';
import { type Entry, type StartedAnchors, startNewAnchors } from './new-anchors.ts';
import type { TrustOptions, TrustSettings } from './settings.ts';
import { type SkipReason, skippedAt } from './skipped-certificates.ts';
import type { AnchorSource, AnchorState } from './state.ts';
import type { Accept } from './trust-anchor.ts';

const acceptAll: Accept = () => null;

/** Settings that were read and found usable. */
export interface PreparedUpdate {
  readonly service: TrustService;
  /** As `update`; never rejects. */
  apply(): Promise<AnchorState[]>;
}

const advice: Readonly<Record<SkipReason, string>> = {
  unreadable: 'remove it, or replace it by one that can be read',
  unusable:
    'the other certificates stay in use. Have it removed from the file or URL; if no path leads from it to the root, add the CA that issued it',
  expired: 'remove it, or replace it by the renewed one',
  not_yet_valid: 'it is used from then on',
};

/** Has no anchors before the first `update`, which is given the same options. */
export class TrustService {
  readonly #options: TrustOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #settings: TrustSettings;
  #entries: readonly Entry[] = [];
  /** What the last `changed` event reported as in use. */
  #reported: AnchorState[] = [];
  /** The skipped certificates that were reported and are still skipped. */
  #reportedSkips: ReadonlySet<string> = new Set();
  #updating: Promise<unknown> = Promise.resolve();

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#settings = options;
    const { signal } = options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
  }

  /** Every anchor with a usable set, in the order of the configuration. */
  states(): AnchorState[] {
    return this.#entries.flatMap(({ state }) => state ?? []);
  }

  /** Every configured anchor, in the order of the configuration. */
  sources(): AnchorSource[] {
    return this.#entries.map((entry) => {
      if (!(entry instanceof FetchSchedule)) {
        const { state } = entry;
        return { name: state.name, state, pinned: state.pinned, hasPendingRoot: false, problem: null };
      }
      const { anchor, state, hasPendingRoot, problem } = entry.feed;
      return { name: anchor.name, state, pinned: anchor.rootSha256 !== undefined, hasPendingRoot, problem };
    });
  }

  /**
   * Applies new settings completely and returns the usable anchors, or throws TrustError and changes nothing. Files are
   * read again. Anchors from URLs that have not changed are not fetched. A new one uses its cached set, whose sources are
   * fetched within a second; without a usable cached set it is fetched before this resolves, all such anchors at the same
   * time, for at most 10 s together. If that fails there is no error: the anchor is missing from the result until it is
   * fetched. What is in use stays in use until this resolves. Concurrent calls run one after the other. After `close` the
   * settings are not applied.
   */
  update(settings: TrustSettings): Promise<AnchorState[]> {
    return this.#inTurn(async () => (await this.#prepare(settings))());
  }

  /** The first half of `update`: reads the files and checks everything that can be refused. Changes and fetches nothing. */
  async prepare(settings: TrustSettings): Promise<PreparedUpdate> {
    const apply = await this.#inTurn(() => this.#prepare(settings));
    return { service: this, apply: () => this.#inTurn(apply) };
  }

  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const done = this.#updating.then(run);
    this.#updating = done.catch(() => {});
    return done;
  }

  /** Fetches every anchor from URLs now; resolves when each fetch succeeded or failed. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all(this.#schedules.map((schedule) => schedule.now()));
  }

  /** Reports certificates in use that have expired or become valid since the last call. */
  checkDates(): void {
    if (!this.#signal.aborted && this.#reportSkipped()) this.#options.onAnchors(this.states());
  }

  /** Ends every fetch and timer; after that no callback is called. */
  close(): void {
    this.#stop.abort();
    for (const schedule of this.#schedules) schedule.end();
  }

  async #prepare(settings: TrustSettings): Promise<() => Promise<AnchorState[]>> {
    const { list = 'anchors', clock = Date.now } = this.#options;
    const { accept = acceptAll } = settings;
    const configured = await readConfiguredAnchors({ ...settings, list, accept, now: clock() });
    this.#refuseUnacceptable(configured, accept);
    // Nothing fails from here on.
    return () => this.#begin(settings, configured);
  }

  async #begin(
    settings: TrustSettings,
    configured: readonly (AnchorState | UrlAnchor)[],
  ): Promise<AnchorState[]> {
    const { accept = acceptAll } = settings;
    // Until the change is complete, anchors that stay must pass both the old and the new check.
    for (const { feed } of this.#schedules) {
      const { accept: earlier } = feed;
      feed.accept = (anchor) => earlier(anchor) ?? accept(anchor);
    }
    const { entries, started } = await startNewAnchors(configured, {
      find: (anchor) => this.#find(anchor),
      schedule: (anchor) => this.#newSchedule(anchor, settings),
    });
    if (this.#signal.aborted) return this.states();
    return this.#apply(settings, { entries, started });
  }

  async #apply(settings: TrustSettings, next: StartedAnchors): Promise<AnchorState[]> {
    const { entries, started } = next;
    const { accept = acceptAll } = settings;
    const kept = this.#schedules.filter((schedule) => entries.includes(schedule));
    for (const schedule of this.#schedules) if (!kept.includes(schedule)) schedule.end();
    const { cacheDir, refresh } = this.#settings;
    this.#entries = entries;
    this.#settings = settings;
    for (const schedule of kept) {
      schedule.feed.accept = accept;
      if (settings.refresh < refresh) schedule.shorten();
    }
    for (const { schedule, failures } of started) schedule.begin(failures);
    this.#reportChange(settings === this.#options ? 'at the start' : 'by the configuration');
    if (cacheDir !== settings.cacheDir)
      await Promise.all(kept.map(({ feed }) => feed.moveTo(settings.cacheDir)));
    return this.states();
  }

  /**
   * Throws TrustError if `accept`, the check of the new settings, refuses the certificates in use of an anchor that is fetched
   * from URLs and that the new settings keep. An anchor from files was checked when its files were read.
   */
  #refuseUnacceptable(configured: readonly (AnchorState | UrlAnchor)[], accept: Accept): void {
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

  #newSchedule(anchor: UrlAnchor, { cacheDir, accept = acceptAll }: TrustSettings): FetchSchedule {
    const { list = 'anchors', clock = Date.now, onEvent: report, onAnchors } = this.#options;
    const { timers = nodeTimers, random = Math.random } = this.#options;
    const signal = this.#signal;
    return new FetchSchedule({
      feed: new AnchorFeed({ anchor, list, cacheDir, accept, clock, report, signal }),
      timers,
      random,
      refresh: () => this.#settings.refresh,
      onDone: (what) => {
        if (this.#reportChange(what === 'fetch' ? 'by its sources' : 'by approval')) onAnchors(this.states());
      },
    });
  }

  /** Reports each change of the certificates in use once. Returns whether there was one. */
  #reportChange(detail: string): boolean {
    if (this.#signal.aborted) return false;
    const now = this.states();
    this.#reportSkipped();
    const { added, removed } = diffAnchors(this.#reported, now);
    this.#reported = now;
    const [name = null, ...further] = new Set([...added, ...removed].map(({ anchor }) => anchor));
    if (name === null) return false;
    const anchor = further.length === 0 ? name : null;
    this.#options.onEvent({ type: 'trust', action: 'changed', anchor, added, removed, detail });
    return true;
  }

  /** Reports each newly skipped certificate. Returns whether the skipped certificates are others than before. */
  #reportSkipped(): boolean {
    const { onEvent, clock = Date.now } = this.#options;
    const now = clock();
    const before = this.#reportedSkips;
    const skips = new Set<string>();
    for (const state of this.states()) {
      for (const { reason, detail } of skippedAt(state, now)) {
        const key = `${state.name} ${detail}`;
        skips.add(key);
        if (before.has(key)) continue;
        const message = `${detail}; the certificate is skipped: ${advice[reason]}`;
        onEvent({ type: 'trust', action: 'passed_over', anchor: state.name, detail: message });
      }
    }
    this.#reportedSkips = skips;
    return skips.size !== before.size || [...skips].some((key) => !before.has(key));
  }

  #find(anchor: UrlAnchor): FetchSchedule | undefined {
    return this.#schedules.find(({ feed }) => hasSameSources(feed.anchor, anchor));
  }

  get #schedules(): readonly FetchSchedule[] {
    return this.#entries.filter((entry) => entry instanceof FetchSchedule);
  }
}
