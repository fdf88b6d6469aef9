/** The settings of the trust service: those of the configuration, and those fixed when it is opened. */

import type { Timers } from '../fetch/timers.ts';
import type { AnchorOptions } from './configured-anchors.ts';
import type { AnchorList } from './disk-cache.ts';
import type { AnchorState, TrustEvent } from './state.ts';
import type { Accept } from './trust-anchor.ts';

/** What a reload of the configuration can change. */
export interface TrustSettings {
  readonly anchors: readonly AnchorOptions[];
  /** Refuses anchors from URLs without a pinned root. */
  readonly requirePin: boolean;
  /** Milliseconds between two successful fetches. */
  readonly refresh: number;
  readonly cacheDir: string;
  /** Default: every anchor is accepted. */
  readonly accept?: Accept;
}

export interface TrustOptions extends TrustSettings {
  /** Candidates have a cache of their own, and their problems name `trust.candidates`; default `anchors`. */
  readonly list?: AnchorList;
  /** When aborted, fetches end at once; after that no state changes and no callback is called. */
  readonly signal?: AbortSignal;
  /** Called when the usable certificates changed other than through `update`. */
  readonly onAnchors: (anchors: AnchorState[]) => void;
  readonly onEvent: (event: TrustEvent) => void;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly timers?: Timers;
  /** From 0 to below 1. */
  readonly random?: () => number;
}
