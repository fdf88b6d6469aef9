/** What the CRL and OCSP feeds of a trust anchor share: current policy and certificates, clock, timers, cache. */
import type { Timers } from '../fetch/timers.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Cache } from './cache.ts';
import type { RevocationNotice } from './event.ts';
import type { RevocationPolicy } from './state.ts';

export interface FeedContext {
  /** Name of the trust anchor. */
  readonly anchor: string;
  readonly policy: () => RevocationPolicy;
  /** The anchor's certificates, the root first. */
  readonly certificates: () => readonly Certificate[];
  /** PEM of the CAs that HTTPS servers are verified with; undefined: Node's own. */
  readonly tlsCa: () => Buffer | undefined;
  readonly report: (notice: RevocationNotice) => void;
  /** The data that a feed has in use has changed. */
  readonly onChange: () => void;
  readonly cache: Cache;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly timers: Timers;
  /** From 0 to below 1. */
  readonly random: () => number;
}
