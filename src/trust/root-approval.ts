/** Another root than the known one, as an anchor's sources serve it: it waits here until the operator names it. */
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/fingerprint.ts';
import type { UrlAnchor } from './configured-anchors.ts';
import type { AnchorCache, StoredAnchor, StoredSource } from './disk-cache.ts';
import type { SoundReading, SourcesReading } from './served-set.ts';
import type { TrustAction, TrustEvent } from './state.ts';

/** What a feed shares with its pending root. */
export interface FeedParts {
  readonly anchor: UrlAnchor;
  readonly cache: AnchorCache;
  readonly clock: () => number;
  /** Judges the sources now; `rootSha256` undefined: with any root. */
  read(sources: readonly StoredSource[], rootSha256: string | undefined): SourcesReading;
  /** False: the feed has ended, and nobody was told. */
  report(action: TrustAction, facts: Pick<TrustEvent, 'sha256' | 'url' | 'detail'>): boolean;
  /** Reports what is thrown, as a failure of the cache, and answers undefined then. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Who named which root, by its SHA-256. */
export interface Approval {
  readonly sha256: string;
  readonly basis: 'approval' | 'pin';
}

export type ApprovalJudgement =
  | { readonly ok: true; readonly set: StoredAnchor; readonly reading: SoundReading }
  | { readonly ok: false; readonly objection: string };

export class PendingRoot {
  readonly #parts: FeedParts;
  #set: StoredAnchor | null = null;
  /** The certificates that were last told of, so that a set is told once and not at every fetch. */
  #told = '';
  /** What was told of the approval that lies there now: it is looked at every second. */
  readonly #objections = new Set<string>();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  get exists(): boolean {
    return this.#set !== null;
  }

  inherit(other: PendingRoot): void {
    this.#set = other.#set;
    this.#told = other.#told;
  }

  /** What waited when the gateway stopped; `known`: the root in use, which is what else may have been left over. */
  async restore(known: string): Promise<void> {
    const { cache, attempt } = this.#parts;
    const set = await attempt(() => cache.loadPending());
    this.#set = set?.rootSha256 === known ? null : (set ?? null);
  }

  /** Keeps what is served if its root is all that is new about it; an unsound set never takes a sound one's place. */
  async put(
    sources: readonly StoredSource[],
    { root, known }: { root: Certificate; known: string },
  ): Promise<void> {
    const { anchor, clock, read } = this.#parts;
    const reading = read(sources, undefined);
    const fetchedAt = clock();
    const { name } = anchor;
    const set: StoredAnchor = { name, fetchedAt, rootSha256: root.sha256, basis: 'approval', sources };
    if (reading.anchor !== null) {
      this.#set = set;
      // Before it is told: whoever hears of it asks the command what it is.
      await this.save();
    }
    const served = reading.certificates.map(({ sha256 }) => sha256).join();
    if (served !== this.#told && this.#tell(reading, { root, known })) this.#told = served;
  }

  #tell(reading: SourcesReading, { root, known }: { root: Certificate; known: string }): boolean {
    const { anchor, report } = this.#parts;
    const pin = anchor.rootSha256;
    const approver = pin === undefined ? 'approval' : 'rootSha256 to name it';
    const next =
      reading.problem === null ? `it waits for ${approver}` : `nor is it sound: ${reading.problem}`;
    return report('root_changed_refused', {
      sha256: root.sha256,
      url: reading.origins.get(root.sha256) ?? '',
      detail: `the sources serve another root, ${root.subject}; only ${withColons(pin ?? known)} is taken; ${next}`,
    });
  }

  async save(): Promise<void> {
    const { cache, attempt } = this.#parts;
    const set = this.#set;
    if (set !== null) await attempt(() => cache.savePending(set));
  }

  /** The root that the operator has named, by the pin or else by a file; null where nothing waits. */
  async findApproval(): Promise<Approval | null> {
    const { anchor, cache } = this.#parts;
    if (this.#set === null) return null;
    if (anchor.rootSha256 === this.#set.rootSha256) return { sha256: anchor.rootSha256, basis: 'pin' };
    try {
      const sha256 = await cache.loadApproval();
      if (sha256 !== null) return { sha256, basis: 'approval' };
      this.#objections.clear();
    } catch (cause) {
      this.#object('cache_failed', cause);
    }
    return null;
  }

  /** Whether the approval fits what waits at this moment, which may be another set than the operator saw. */
  judge({ sha256, basis }: Approval): ApprovalJudgement {
    const { anchor, read } = this.#parts;
    const set = this.#set;
    const refuse = (objection: string) => ({ ok: false, objection }) as const;
    if (set === null) return refuse('nothing waits any more');
    if (sha256 !== set.rootSha256) {
      const named = /^[0-9a-f]{64}$/.test(sha256) ? withColons(sha256) : 'no root';
      return refuse(`it names ${named}, and ${withColons(set.rootSha256)} is what waits`);
    }
    // A pin is the stronger word: it stands in the configuration.
    if (anchor.rootSha256 !== undefined && anchor.rootSha256 !== sha256)
      return refuse(`rootSha256 allows only ${withColons(anchor.rootSha256)}`);
    const reading = read(set.sources, sha256);
    return reading.anchor === null ? refuse(reading.problem) : { ok: true, set: { ...set, basis }, reading };
  }

  /** An approval that does not fit is taken away: it must not lie in wait for a set that nobody has seen yet. */
  async refuse(objection: string): Promise<void> {
    this.#object('approval_refused', objection);
    await this.#parts.cache.dropApproval().catch((cause: unknown) => this.#object('cache_failed', cause));
  }

  /** Nothing waits any more: it was taken, or `served`, the known root, is what the sources serve again. */
  async clear(served: string, { onDisk }: { onDisk: boolean }): Promise<void> {
    const { cache, report, attempt } = this.#parts;
    const waited = this.#set?.rootSha256;
    this.#set = null;
    this.#told = '';
    this.#objections.clear();
    if (waited !== undefined && waited !== served)
      report('pending_dropped', { sha256: waited, detail: `the sources serve the root ${served} again` });
    if (onDisk) await attempt(() => cache.dropPending());
  }

  #object(action: 'approval_refused' | 'cache_failed', objection: unknown): void {
    const detail = objection instanceof Error ? objection.message : String(objection);
    if (this.#objections.has(detail)) return;
    this.#objections.add(detail);
    const sha256 = this.#set?.rootSha256;
    this.#parts.report(action, { ...(sha256 === undefined ? {} : { sha256 }), detail });
  }
}
