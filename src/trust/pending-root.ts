/** A changed root: the sources serve another root than the known one, which is pending until the operator approves it. */
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/fingerprint.ts';
import type { UrlAnchor } from './configured-anchors.ts';
import type { AnchorCache, StoredAnchor, StoredSource } from './disk-cache.ts';
import type { ServedSet, UsableSet } from './served-set.ts';
import type { TrustAction, TrustEvent } from './state.ts';

/** What a feed shares with its pending root. */
export interface FeedContext {
  readonly anchor: UrlAnchor;
  readonly cache: AnchorCache;
  readonly clock: () => number;
  /** Parses and checks the sources at the present time; `rootSha256` undefined: with any root. */
  read(sources: readonly StoredSource[], rootSha256: string | undefined): ServedSet;
  /** Reports an event. Returns false, without reporting, if the feed has ended. */
  report(action: TrustAction, facts: Pick<TrustEvent, 'sha256' | 'url' | 'detail'>): boolean;
  /** Runs an operation on the cache. An error is reported as `cache_failed`, and the result is undefined. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** A root that the operator named, by its SHA-256 in lower hex: with the approve command, or as the pin. */
export interface Approval {
  readonly sha256: string;
  readonly basis: 'approval' | 'pin';
}

export type ApprovalCheck =
  | { readonly ok: true; readonly stored: StoredAnchor; readonly set: UsableSet }
  | { readonly ok: false; readonly objection: string };

export class PendingRoot {
  readonly #context: FeedContext;
  #stored: StoredAnchor | null = null;
  /** The certificates of the last reported set, so that each set is reported once, not at every fetch. */
  #reported = '';
  /** The objections reported about the present approval, which is checked every second. */
  readonly #objections = new Set<string>();

  constructor(context: FeedContext) {
    this.#context = context;
  }

  get exists(): boolean {
    return this.#stored !== null;
  }

  /** Takes over the pending root of a feed that has ended. */
  inherit(other: PendingRoot): void {
    this.#stored = other.#stored;
    this.#reported = other.#reported;
  }

  /** Loads the pending set from disk. `known`: the root in use; a pending set with that root is a leftover. */
  async restore(known: string): Promise<void> {
    const { cache, attempt } = this.#context;
    const stored = await attempt(() => cache.loadPending());
    this.#stored = stored?.rootSha256 === known ? null : (stored ?? null);
  }

  /**
   * Makes the served set the pending one if nothing but its root prevents its use, and reports it once. A set with other
   * problems never replaces a pending set.
   */
  async put(
    sources: readonly StoredSource[],
    { root, known }: { root: Certificate; known: string },
  ): Promise<void> {
    const { anchor, clock, read } = this.#context;
    const served = read(sources, undefined);
    const fetchedAt = clock();
    const { name } = anchor;
    if (served.anchor !== null) {
      this.#stored = { name, fetchedAt, rootSha256: root.sha256, basis: 'approval', sources };
      // Before the report, so that `trust diff` shows the set to an operator who reacts to it.
      await this.save();
    }
    const certificates = served.certificates.map(({ sha256 }) => sha256).join();
    if (certificates !== this.#reported && this.#report(served, { root, known }))
      this.#reported = certificates;
  }

  #report(served: ServedSet, { root, known }: { root: Certificate; known: string }): boolean {
    const { anchor, report } = this.#context;
    const pin = anchor.rootSha256;
    const approval =
      pin === undefined
        ? 'it is pending until approved: see ehi-gateway trust diff'
        : 'it is pending until rootSha256 names it';
    const next =
      served.problem === null ? approval : `and the new set cannot be used anyway: ${served.problem}`;
    return report('root_changed_refused', {
      sha256: root.sha256,
      url: served.origins.get(root.sha256) ?? '',
      detail: `the sources serve another root, ${root.subject}; only ${withColons(pin ?? known)} is accepted; ${next}`,
    });
  }

  async save(): Promise<void> {
    const { cache, attempt } = this.#context;
    const stored = this.#stored;
    if (stored !== null) await attempt(() => cache.savePending(stored));
  }

  /** The root that the operator named, by the pin or else by the approve command; null: none, or no root is pending. */
  async findApproval(): Promise<Approval | null> {
    const { anchor, cache } = this.#context;
    if (this.#stored === null) return null;
    if (anchor.rootSha256 === this.#stored.rootSha256) return { sha256: anchor.rootSha256, basis: 'pin' };
    try {
      const sha256 = await cache.loadApproval();
      if (sha256 !== null) return { sha256, basis: 'approval' };
      this.#objections.clear();
    } catch (cause) {
      this.#object('cache_failed', cause);
    }
    return null;
  }

  /** Whether the approval names the root that is pending now, which may be another one than the operator saw. */
  check({ sha256, basis }: Approval): ApprovalCheck {
    const { anchor, read } = this.#context;
    const stored = this.#stored;
    const refuse = (objection: string) => ({ ok: false, objection }) as const;
    if (stored === null) return refuse('no root is pending any more');
    if (sha256 !== stored.rootSha256) {
      const named = /^[0-9a-f]{64}$/.test(sha256) ? withColons(sha256) : 'no root';
      return refuse(`the approval names ${named}, but the pending root is ${withColons(stored.rootSha256)}`);
    }
    // The pin is part of the configuration and takes precedence over an approval.
    if (anchor.rootSha256 !== undefined && anchor.rootSha256 !== sha256)
      return refuse(`rootSha256 allows only ${withColons(anchor.rootSha256)}`);
    const set = read(stored.sources, sha256);
    return set.anchor === null ? refuse(set.problem) : { ok: true, stored: { ...stored, basis }, set };
  }

  /** Deletes an approval that does not apply, so that it cannot apply later to a set that the operator never saw. */
  async refuse(objection: string): Promise<void> {
    this.#object('approval_refused', objection);
    await this.#context.cache.dropApproval().catch((cause: unknown) => this.#object('cache_failed', cause));
  }

  /**
   * Deletes the pending set: it is in use now, or the sources serve the known root again. `served`: the root in use.
   * `onDisk` false: the files stay for the next start, since the set in use could not be saved.
   */
  async clear(served: string, { onDisk }: { onDisk: boolean }): Promise<void> {
    const { cache, report, attempt } = this.#context;
    const pending = this.#stored?.rootSha256;
    this.#stored = null;
    this.#reported = '';
    this.#objections.clear();
    if (pending !== undefined && pending !== served) {
      const detail = `the sources serve the root ${withColons(served)} again`;
      report('pending_dropped', { sha256: pending, detail });
    }
    if (onDisk) await attempt(() => cache.dropPending());
  }

  #object(action: 'approval_refused' | 'cache_failed', objection: unknown): void {
    const detail = objection instanceof Error ? objection.message : String(objection);
    if (this.#objections.has(detail)) return;
    this.#objections.add(detail);
    const sha256 = this.#stored?.rootSha256;
    this.#context.report(action, { ...(sha256 === undefined ? {} : { sha256 }), detail });
  }
}
