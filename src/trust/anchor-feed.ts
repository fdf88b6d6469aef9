/** Keeps one anchor from URLs current: trust on first use, the pinned root, updates, and the cached copy on disk. */
import { withColons } from '../pki/fingerprint.ts';
import { allowsRoot, type UrlAnchor } from './configured-anchors.ts';
import { AnchorCache, type AnchorList, type StoredAnchor, type StoredSource } from './disk-cache.ts';
import { downloadSources } from './download.ts';
import { type FeedContext, PendingRoot } from './pending-root.ts';
import { readServedSet, type UsableSet } from './served-set.ts';
import type { AnchorState, TrustAction, TrustEvent } from './state.ts';
import type { Accept } from './trust-anchor.ts';
import { decideUpdate } from './update-decision.ts';

export interface FeedOptions {
  readonly anchor: UrlAnchor;
  readonly list: AnchorList;
  readonly cacheDir: string;
  readonly accept: Accept;
  readonly clock: () => number;
  readonly report: (event: TrustEvent) => void;
  /** Aborted when the gateway stops: after that nothing is reported or changed. */
  readonly signal: AbortSignal;
}

export class AnchorFeed {
  readonly anchor: UrlAnchor;
  /** May be replaced at any time. */
  accept: Accept;
  /** Aborted when the feed ends. */
  readonly signal: AbortSignal;
  readonly #context: FeedContext;
  readonly #pending: PendingRoot;
  readonly #stop = new AbortController();
  /** The last good set, also after it expired: its root is the known root. */
  #stored: StoredAnchor | null = null;
  #state: AnchorState | null = null;
  #problem: string | null = null;

  constructor(options: FeedOptions) {
    const { anchor, clock, cacheDir, list, report } = options;
    this.anchor = anchor;
    this.accept = options.accept;
    this.signal = AbortSignal.any([this.#stop.signal, options.signal]);
    this.#context = {
      anchor,
      clock,
      cache: new AnchorCache({ cacheDir, list, name: anchor.name, urls: anchor.urls }),
      read: (sources, rootSha256) =>
        readServedSet({ name: anchor.name, sources, rootSha256, accept: this.accept, now: clock() }),
      report: (action, facts) => {
        if (this.hasEnded) return false;
        if (action === 'fetch_failed' || action === 'refused') this.#problem = facts.detail ?? action;
        report({ type: 'trust', action, anchor: anchor.name, ...facts });
        return true;
      },
      attempt: (work) =>
        work().catch((cause: unknown) => {
          const detail = cause instanceof Error ? cause.message : String(cause);
          this.#context.report('cache_failed', { detail });
          return undefined;
        }),
    };
    this.#pending = new PendingRoot(this.#context);
  }

  /** null: there is no usable set yet. */
  get state(): AnchorState | null {
    return this.#state;
  }

  /** Why the sources of the last fetch are not in use; null: they are, or nothing was fetched yet. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether the sources serve another root than the known one, which is not in use. */
  get hasPendingRoot(): boolean {
    return this.#pending.exists;
  }

  /** Whether a root is pending that the approve command can approve: with a pin it cannot. */
  get awaitsApproval(): boolean {
    return this.#pending.exists && !this.#isPinned;
  }

  get hasEnded(): boolean {
    return this.signal.aborted;
  }

  /**
   * Uses the cached set, so that a slow or failing source does not delay the start; fetches if there is no usable one.
   * Returns whether the set in use was fetched; if not, the sources are to be fetched soon. Never rejects: failures are
   * reported. `predecessor`: an ended feed of the same name and URLs, whose state is more recent than the disk's.
   */
  async start(predecessor?: AnchorFeed): Promise<boolean> {
    if (predecessor === undefined) await this.#restore();
    else this.#inherit(predecessor);
    await this.takeApproved();
    return this.#state === null && (await this.update());
  }

  /** Fetches the sources; returns whether the served set is in use. Never rejects: failures are reported. */
  async update(): Promise<boolean> {
    const { urls, ca } = this.anchor;
    // A 304 is of use only for bytes that are in use: a cached set that cannot be used is fetched in full.
    const stored = this.#state === null ? undefined : this.#stored?.sources;
    const fetched = await downloadSources({ urls, ca, stored, signal: this.signal });
    if (this.hasEnded) return false;
    if (fetched.ok) return this.#adopt(fetched.sources);
    this.#context.report('fetch_failed', { url: fetched.url, detail: fetched.detail });
    this.#retryCached();
    return false;
  }

  /** Uses the pending set if the operator approved its root. Never rejects: failures are reported. */
  async takeApproved(): Promise<void> {
    const approval = await this.#pending.findApproval();
    if (approval === null || this.hasEnded) return;
    const check = this.#pending.check(approval);
    if (check.ok) await this.#use(check.stored, { set: check.set, action: 'approved' });
    // For a pin nothing is refused: the set of the pinned root is fetched instead.
    else if (approval.basis === 'approval') await this.#pending.refuse(check.objection);
  }

  /** Saves what is known to another folder and uses that from now on. */
  async moveTo(cacheDir: string): Promise<void> {
    const { cache, attempt } = this.#context;
    const stored = this.#stored;
    cache.moveTo(cacheDir);
    if (stored !== null) await attempt(() => cache.save(stored));
    await this.#pending.save();
  }

  /** Ends every fetch; after that nothing is changed or reported. `state` stays readable. */
  end(): void {
    this.#stop.abort();
  }

  async #adopt(sources: readonly StoredSource[]): Promise<boolean> {
    const { anchor, clock, read, report } = this.#context;
    const { name, rootSha256: pin } = anchor;
    const served = read(sources, pin);
    const now = clock();
    const decision = decideUpdate({ served, stored: this.#stored, inUse: this.#state, pin, now });
    switch (decision.kind) {
      case 'root_changed':
        await this.#pending.put(sources, decision);
        this.#problem = `the sources serve another root, ${decision.root.subject}, which is not in use`;
        return false;
      case 'refused':
        report('refused', { detail: decision.detail });
        return false;
      case 'accepted': {
        const { set, basis, action } = decision;
        const [{ sha256: rootSha256 }] = set.anchor.certificates;
        await this.#use({ name, fetchedAt: now, rootSha256, basis, sources }, { set, action });
        return true;
      }
      default:
        return decision satisfies never;
    }
  }

  /** The state changes and is reported synchronously: `accept` or the feed's end must not come in between. */
  async #use(
    stored: StoredAnchor,
    { set, action }: { readonly set: UsableSet; readonly action: TrustAction | null },
  ): Promise<void> {
    const { cache, report, attempt } = this.#context;
    const { rootSha256: sha256, fetchedAt } = stored;
    const { anchor, origins } = set;
    this.#stored = stored;
    this.#problem = null;
    this.#state = { ...anchor, origins, fetchedAt, pinned: this.#isPinned, source: 'url' };
    if (action !== null) report(action, { sha256, url: origins.get(sha256) ?? '' });
    const saved = await attempt(() => cache.save(stored).then(() => true));
    // If the set was not saved, the approval stays on disk for the next start.
    await this.#pending.clear(sha256, { onDisk: saved === true });
  }

  async #restore(): Promise<void> {
    const { cache, attempt } = this.#context;
    const own = await attempt(() => cache.load());
    /*
     * A candidate becomes an anchor when the operator moves its entry in the configuration, after watching what its root
     * would have allowed. That root is then the known root: trust on first use would accept whatever the URLs serve now,
     * and make the rehearsal worthless. An anchor with a cached set of its own, readable or not, never uses a candidate's.
     */
    const candidate = own === null ? await attempt(() => cache.loadCandidate()) : null;
    if (candidate) await attempt(() => cache.save(candidate));
    this.#stored = own ?? candidate ?? null;
    if (this.#stored === null) return;
    await this.#pending.restore(this.#stored.rootSha256);
    this.#useCached(this.#stored);
  }

  /** The set in use stays in use unless a new pin names another root. */
  #inherit(predecessor: AnchorFeed): void {
    this.#stored = predecessor.#stored;
    this.#pending.inherit(predecessor.#pending);
    const state = predecessor.#state;
    if (state === null) {
      if (this.#stored !== null) this.#useCached(this.#stored);
      return;
    }
    if (allowsRoot(this.anchor, state)) {
      this.#state = { ...state, pinned: this.#isPinned };
      return;
    }
    const detail = `the set in use has another root than ${withColons(this.anchor.rootSha256 ?? '')}, which rootSha256 names`;
    this.#context.report('refused', { sha256: state.certificates[0].sha256, detail });
  }

  /**
   * A cached set that cannot be used is reported, even if a new pin is the reason: the report explains why this start
   * waits for the sources. Its root remains the known root.
   */
  #useCached({ sources, rootSha256, fetchedAt }: StoredAnchor): void {
    const { read, report } = this.#context;
    const { anchor, origins, problem } = read(sources, this.anchor.rootSha256 ?? rootSha256);
    if (anchor === null) {
      report('refused', { detail: `from the cache: ${problem}` });
      return;
    }
    this.#state = { ...anchor, origins, fetchedAt, pinned: this.#isPinned, source: 'cache' };
    const [{ sha256 }] = anchor.certificates;
    report('from_cache', { sha256, url: origins.get(sha256) ?? '' });
  }

  /** Tries the cached set again while the sources fail: a wrong clock may have been the reason that it was refused. */
  #retryCached(): void {
    if (this.#state !== null || this.#stored === null) return;
    const { sources, rootSha256 } = this.#stored;
    const { anchor } = this.#context.read(sources, this.anchor.rootSha256 ?? rootSha256);
    if (anchor !== null) this.#useCached(this.#stored);
  }

  get #isPinned(): boolean {
    return this.anchor.rootSha256 !== undefined;
  }
}
