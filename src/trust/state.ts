/** What the trust store tells the rest of the control thread: the state of each anchor, and what happened to it. */

import type { AnchorChange } from './change.ts';
import type { Anchor } from './trust-anchor.ts';

export interface AnchorState extends Anchor {
  /** Milliseconds since the epoch: when its source last confirmed these certificates. */
  readonly fetchedAt: number;
  /** Whether the configuration names the root's SHA-256. */
  readonly pinned: boolean;
  readonly source: 'url' | 'cache' | 'files';
  /** SHA-256 of each certificate → the URL or the file that it came from. */
  readonly origins: ReadonlyMap<string, string>;
}

export type TrustAction =
  /** No pin and no cache: the first root that came is now the anchor's root. */
  | 'trust_on_first_use'
  /** The sources served a new or changed set, or confirmed the one from the cache: it is in use. */
  | 'fetched'
  /** Another root than before: the old set stays, and the new one waits for approval if nothing else is wrong with it. */
  | 'root_changed_refused'
  /** The operator named the root that was waiting: its set is in use. */
  | 'approved'
  /** An approval of something else than what waits, or of what is no longer sound: it is taken away, nothing changes. */
  | 'approval_refused'
  /** The sources serve the known root again: what was waiting is forgotten. */
  | 'pending_dropped'
  /** A set with problems, from the sources or from the cache: what was in use stays. */
  | 'refused'
  | 'fetch_failed'
  /** The last good set from the disk is in use since the start, until the sources confirm or replace it. */
  | 'from_cache'
  /** The cache could not be read, or not be written. */
  | 'cache_failed'
  /** A certificate of the anchor cannot be used, or not now: the others serve on. Told once for each, and why. */
  | 'passed_over'
  /** The usable certificates are others than before, for whatever reason; `added` and `removed` say which. */
  | 'changed';

export interface TrustEvent extends Partial<AnchorChange> {
  readonly type: 'trust';
  readonly action: TrustAction;
  /** null: a change of several anchors at once. */
  readonly anchor: string | null;
  /** Hex SHA-256 of the root that the event is about. */
  readonly sha256?: string;
  /** Where that root came from, or what could not be fetched. */
  readonly url?: string;
  readonly detail?: string;
}
