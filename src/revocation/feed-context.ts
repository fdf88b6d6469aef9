/** What every feed of an anchor is given: the anchor's policy and certificates as they are now, clock, timers, chance. */
import type { Timers } from '../fetch/pause.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Cache } from './cache.ts';
import type { Telling } from './source-failure.ts';
import type { RevocationPolicy } from './state.ts';

export interface FeedContext {
  readonly anchor: string;
  readonly policy: () => RevocationPolicy;
  /** The anchor's, the root first. */
  readonly certificates: () => readonly Certificate[];
  /** PEM of the CAs that verify HTTPS servers. */
  readonly tlsCa: () => Buffer | undefined;
  readonly tell: (telling: Telling) => void;
  /** What the feed has in use has changed. */
  readonly onChange: () => void;
  readonly cache: Cache;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** From 0 to below 1. */
  readonly random: () => number;
}
