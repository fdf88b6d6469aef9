/** One anchor that comes from URLs: fetches it whole, takes only what is in no doubt, and another root only on approval. */
import { withColons } from '../pki/fingerprint.ts';
import { allowsRoot, type UrlAnchor } from './configured-anchors.ts';
import { AnchorCache, type AnchorList, type StoredAnchor, type StoredSource } from './disk-cache.ts';
import { fetchSources } from './download.ts';
import { type FeedParts, PendingRoot } from './root-approval.ts';
import { readSources, type SoundReading } from './served-set.ts';
import type { Accept } from './settings.ts';
import type { AnchorState, TrustAction, TrustEvent } from './state.ts';
import { haveSameCertificates, rootsOf } from './trust-anchor.ts';
import { findForeignRoot, lossBy } from './update-decision.ts';

export interface FeedOptions {
  readonly anchor: UrlAnchor;
  readonly list: AnchorList;
  readonly cacheDir: string;
  readonly accept: Accept;
  readonly clock: () => number;
  readonly report: (event: TrustEvent) => void;
  /** Aborted when the gateway stops: nothing is reported or changed from then on. */
  readonly signal: AbortSignal;
}

export class AnchorFeed {
  readonly anchor: UrlAnchor;
  /** May be replaced at any time. */
  accept: Accept;
  readonly #parts: FeedParts;
  readonly #pending: PendingRoot;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** The last good copy, also when time has made it unusable: it still says which root was taken first. */
  #stored: StoredAnchor | null = null;
  #state: AnchorState | null = null;

  constructor(options: FeedOptions) {
    const { anchor, clock, cacheDir, list, report } = options;
    this.anchor = anchor;
    this.accept = options.accept;
    this.#signal = AbortSignal.any([this.#stop.signal, options.signal]);
    this.#parts = {
      anchor,
      clock,
      cache: new AnchorCache({ cacheDir, list, name: anchor.name, urls: anchor.urls }),
      read: (sources, rootSha256) =>
        readSources({ name: anchor.name, sources, rootSha256, accept: this.accept, now: clock() }),
      report: (action, facts) => {
        if (this.hasEnded) return false;
        report({ type: 'trust', action, anchor: anchor.name, ...facts });
        return true;
      },
      attempt: (work) =>
        work().catch((cause: unknown) => {
          const detail = cause instanceof Error ? cause.message : String(cause);
          this.#parts.report('cache_failed', { detail });
          return undefined;
        }),
    };
    this.#pending = new PendingRoot(this.#parts);
  }

  /** null: there is no usable set yet. */
  get state(): AnchorState | null {
    return this.#state;
  }

  /** Whether an approval may come: none counts against a pin. */
  get isWaiting(): boolean {
    return this.#pending.exists && !this.#isPinned;
  }

  get hasEnded(): boolean {
    return this.#signal.aborted;
  }

  /**
   * Takes the last good set from the disk, so that a slow or dead source delays no start; without a usable one it
   * fetches. True: what the sources serve is in use; false: ask them soon. Never throws: failures are reported.
   * `predecessor`: an ended feed of the same name and URLs, which knows more than the disk.
   */
  async start(predecessor?: AnchorFeed): Promise<boolean> {
    if (predecessor === undefined) await this.#restore();
    else this.#inherit(predecessor);
    await this.takeApproved();
    return this.#state === null && (await this.update());
  }

  /** Fetches again; true: what the sources serve is in use. Never throws: failures are reported. */
  async update(): Promise<boolean> {
    const { urls, ca } = this.anchor;
    // A server's 304 is of use only for bytes that are in use: a spoilt copy is fetched anew.
    const stored = this.#state === null ? undefined : this.#stored?.sources;
    const fetched = await fetchSources({ urls, ca, stored, signal: this.#signal });
    if (this.hasEnded) return false;
    if (fetched.ok) return this.#adopt(fetched.sources);
    this.#parts.report('fetch_failed', { url: fetched.url, detail: fetched.detail });
    this.#reconsiderCached();
    return false;
  }

  /** Takes what waits where the operator has named its root. Never throws: failures are reported. */
  async takeApproved(): Promise<void> {
    const approval = await this.#pending.findApproval();
    if (approval === null || this.hasEnded) return;
    const judgement = this.#pending.judge(approval);
    if (judgement.ok) await this.#take(judgement.set, { ...judgement.reading, action: 'approved' });
    // The pin's own set is fetched instead.
    else if (approval.basis === 'approval') await this.#pending.refuse(judgement.objection);
  }

  /** Goes on in another folder, with what it knows. */
  async moveTo(cacheDir: string): Promise<void> {
    const { cache, attempt } = this.#parts;
    const stored = this.#stored;
    cache.moveTo(cacheDir);
    if (stored !== null) await attempt(() => cache.save(stored));
    await this.#pending.save();
  }

  /** Ends every fetch; nothing is changed or told from then on. What is in use stays to be seen. */
  end(): void {
    this.#stop.abort();
  }

  async #adopt(sources: readonly StoredSource[]): Promise<boolean> {
    const { anchor, clock, read, report } = this.#parts;
    const { name, rootSha256: pin } = anchor;
    const reading = read(sources, pin);
    const known = this.#stored?.rootSha256;
    const root = findForeignRoot(reading, this.#knownRoots);
    if (known !== undefined && root !== undefined) {
      await this.#pending.put(sources, { root, known });
      return false;
    }
    if (reading.anchor === null) {
      report('refused', { detail: reading.problem });
      return false;
    }
    const lost = lossBy(reading, this.#state, clock());
    if (lost !== null) {
      report('refused', { detail: lost });
      return false;
    }
    const [{ sha256: rootSha256 }] = reading.anchor.certificates;
    const basis = pin === undefined ? (this.#stored?.basis ?? 'first_use') : 'pin';
    const before = this.#state;
    const isNews = before?.source !== 'url' || !haveSameCertificates(before, reading.anchor);
    const action =
      known === undefined && pin === undefined ? 'trust_on_first_use' : isNews ? 'fetched' : null;
    const set = { name, fetchedAt: clock(), rootSha256, basis, sources };
    await this.#take(set, { ...reading, action });
    return true;
  }

  /** Lower hex SHA-256 of the roots that are believed: of what is in use, and the pin. */
  get #knownRoots(): ReadonlySet<string | undefined> {
    const inUse = this.#state === null ? [] : rootsOf(this.#state).map(({ sha256 }) => sha256);
    return new Set([this.#stored?.rootSha256, this.anchor.rootSha256, ...inUse]);
  }

  /** In use and told before anything is awaited: `accept` must not be replaced, nor the feed ended, before that. */
  async #take(
    set: StoredAnchor,
    { anchor, origins, action }: SoundReading & { readonly action: TrustAction | null },
  ): Promise<void> {
    const { cache, report, attempt } = this.#parts;
    const { rootSha256: sha256, fetchedAt } = set;
    this.#stored = set;
    this.#state = { ...anchor, origins, fetchedAt, pinned: this.#isPinned, source: 'url' };
    if (action !== null) report(action, { sha256, url: origins.get(sha256) ?? '' });
    const saved = await attempt(() => cache.save(set).then(() => true));
    // A restart would not know of what was not saved: an approval on the disk is left for it.
    await this.#pending.clear(sha256, { onDisk: saved === true });
  }

  async #restore(): Promise<void> {
    const { cache, attempt } = this.#parts;
    const own = await attempt(() => cache.load());
    /*
     * A candidate becomes an anchor when the operator moves its entry in the configuration, after watching what its root
     * would have allowed. That root is then the known one: to trust whatever the URLs serve at that moment instead would
     * make the rehearsal worthless. An anchor that has a root of its own, readable or not, never takes a candidate's.
     */
    const rehearsed = own === null ? await attempt(() => cache.loadRehearsed()) : null;
    if (rehearsed) await attempt(() => cache.save(rehearsed));
    this.#stored = own ?? rehearsed ?? null;
    if (this.#stored === null) return;
    await this.#pending.restore(this.#stored.rootSha256);
    this.#takeCached(this.#stored);
  }

  /** What is in use stays in use, unless the pin is new and names another root. */
  #inherit(predecessor: AnchorFeed): void {
    this.#stored = predecessor.#stored;
    this.#pending.inherit(predecessor.#pending);
    const state = predecessor.#state;
    if (state === null) {
      if (this.#stored !== null) this.#takeCached(this.#stored);
      return;
    }
    if (allowsRoot(this.anchor, state)) {
      this.#state = { ...state, pinned: this.#isPinned };
      return;
    }
    const detail = `what was in use has another root than ${withColons(this.anchor.rootSha256 ?? '')}, which rootSha256 names`;
    this.#parts.report('refused', { sha256: state.certificates[0].sha256, detail });
  }

  /**
   * A copy that cannot be used is told even when a new pin is what rules it out: it says why this start waits for the
   * sources, and that there is nothing to fall back to. Its root stays the known one all the same.
   */
  #takeCached({ sources, rootSha256, fetchedAt }: StoredAnchor): void {
    const { read, report } = this.#parts;
    const { anchor, origins, problem } = read(sources, this.anchor.rootSha256 ?? rootSha256);
    if (anchor === null) {
      report('refused', { detail: `from the cache: ${problem}` });
      return;
    }
    this.#state = { ...anchor, origins, fetchedAt, pinned: this.#isPinned, source: 'cache' };
    const [{ sha256 }] = anchor.certificates;
    report('from_cache', { sha256, url: origins.get(sha256) ?? '' });
  }

  /** The copy may have been refused by a clock that was wrong: better that than nothing, while the sources are away. */
  #reconsiderCached(): void {
    if (this.#state !== null || this.#stored === null) return;
    const { sources, rootSha256 } = this.#stored;
    const { anchor } = this.#parts.read(sources, this.anchor.rootSha256 ?? rootSha256);
    if (anchor !== null) this.#takeCached(this.#stored);
  }

  get #isPinned(): boolean {
    return this.anchor.rootSha256 !== undefined;
  }
}
