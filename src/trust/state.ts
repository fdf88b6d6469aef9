/** What the trust store tells the rest of the control thread: the state of each anchor, and what happened to it. */
import type { Anchor } from './bundle.ts';

export interface AnchorState extends Anchor {
  /** Milliseconds since the epoch: when its source last confirmed these certificates. */
  readonly fetchedAt: number;
  /** Whether the configuration names the root's SHA-256. */
  readonly pinned: boolean;
  readonly source: 'url' | 'cache' | 'files';
}

export type TrustAction =
  /** No pin and no cache: the first root that came is now the anchor's root. */
  | 'trust_on_first_use'
  /** The sources served a new or changed set, or confirmed the one from the cache: it is in use. */
  | 'fetched'
  /** Another root than before, which no pin names: the old set stays. */
  | 'root_changed_refused'
  /** A set with problems, from the sources or from the cache: what was in use stays. */
  | 'refused'
  | 'fetch_failed'
  /** The last good set from the disk is in use since the start, until the sources confirm or replace it. */
  | 'from_cache'
  /** The cache could not be read, or not be written. */
  | 'cache_failed';

export interface TrustEvent {
  readonly type: 'trust';
  readonly action: TrustAction;
  readonly anchor: string;
  /** Hex SHA-256 of the root that the event is about. */
  readonly sha256?: string;
  readonly url?: string;
  readonly detail?: string;
}
