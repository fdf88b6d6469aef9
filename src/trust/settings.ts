/** What a trust store is told: by the configuration, and by those who use it. */

import type { Timers } from '../fetch/timers.ts';
import type { AnchorOptions } from './configured-anchors.ts';
import type { AnchorList } from './disk-cache.ts';
import type { AnchorState, TrustEvent } from './state.ts';
import type { Anchor } from './trust-anchor.ts';

/** A last word on every set before it is used: null, or why it is refused. */
export type Accept = (anchor: Anchor) => string | null;

/** What a change of the configuration may change. */
export interface TrustSettings {
  readonly anchors: readonly AnchorOptions[];
  /** Refuses anchors from URLs that name no root. */
  readonly requirePin: boolean;
  /** Milliseconds between two fetches that succeed. */
  readonly refresh: number;
  readonly cacheDir: string;
  /** Default: everything is accepted. */
  readonly accept?: Accept;
}

export interface TrustOptions extends TrustSettings {
  /** Candidates are kept apart in the cache, and their problems told of `trust.candidates`; default `anchors`. */
  readonly list?: AnchorList;
  /** Aborted: fetches end at once, and nothing is changed or told from then on. */
  readonly signal?: AbortSignal;
  /** The usable certificates changed by themselves: neither by `openTrust` nor by `update`. */
  readonly onAnchors: (anchors: AnchorState[]) => void;
  readonly onEvent: (event: TrustEvent) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timers?: Timers;
  /** From 0 to below 1. */
  readonly random?: () => number;
}
