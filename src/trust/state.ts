/** What the trust service reports to the control thread: the state of each anchor, and events. */
import type { AnchorChange } from './anchor-changes.ts';
import type { Anchor } from './trust-anchor.ts';

export interface AnchorState extends Anchor {
  /** Milliseconds since the epoch: when the sources last confirmed these certificates. */
  readonly fetchedAt: number;
  /** Whether the configuration pins the root (`rootSha256`). */
  readonly pinned: boolean;
  readonly source: 'url' | 'cache' | 'files';
  /** SHA-256 of each certificate → the URL or the file that it came from. */
  readonly origins: ReadonlyMap<string, string>;
}

/** A configured anchor, whether or not it has a usable set. */
export interface AnchorSource {
  readonly name: string;
  /** null: there is no usable set yet. */
  readonly state: AnchorState | null;
  readonly pinned: boolean;
  /** The sources serve another root, which is not in use. */
  readonly hasPendingRoot: boolean;
  /** Why the last fetch did not succeed; null: it did, or the anchor is from files. */
  readonly problem: string | null;
}

export type TrustAction =
  /** No pin and no cache: the first root that the sources served is now the anchor's root. */
  | 'trust_on_first_use'
  /** The sources served a new or changed set, or confirmed the one from the cache: it is in use. */
  | 'fetched'
  /** The sources serve another root: the old set stays in use. The new set is pending unless it has other problems. */
  | 'root_changed_refused'
  /** The operator approved the pending root: its set is in use. */
  | 'approved'
  /** The approval names another root than the pending one, or its set cannot be used any more: it is deleted. */
  | 'approval_refused'
  /** The sources serve the known root again: the pending root is deleted. */
  | 'pending_dropped'
  /** A set with problems, from the sources or from the cache: the set in use stays. */
  | 'refused'
  | 'fetch_failed'
  /** The cached set is in use since the start, until the sources confirm or replace it. */
  | 'from_cache'
  /** The cache could not be read or written. */
  | 'cache_failed'
  /** A certificate of the anchor cannot be used, or not at present; the others stay in use. Reported once for each. */
  | 'passed_over'
  /** The certificates in use changed, for any reason; `added` and `removed` list them. */
  | 'changed';

export interface TrustEvent extends Partial<AnchorChange> {
  readonly type: 'trust';
  readonly action: TrustAction;
  /** null: several anchors changed at once. */
  readonly anchor: string | null;
  /** Hex SHA-256 of the root that the event is about. */
  readonly sha256?: string;
  /** The URL of that root, or the URL that could not be fetched. */
  readonly url?: string;
  readonly detail?: string;
}
