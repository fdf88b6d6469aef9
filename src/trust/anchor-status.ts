/** What a start of the gateway would find of each anchor, in files and cache: for people who ask, nothing is fetched. */

import type { SourcedAnchor } from './change.ts';
import { type AnchorOptions, readConfiguredAnchors, type UrlAnchor } from './configured-anchors.ts';
import { AnchorCache, type AnchorList, type StoredAnchor } from './disk-cache.ts';
import { readSources } from './served-set.ts';
import type { Accept } from './settings.ts';
import type { AnchorState } from './state.ts';

export interface Holding {
  readonly name: string;
  readonly list: AnchorList;
  /** null: there is nothing usable. */
  readonly state: AnchorState | null;
  /** Why there is nothing usable. */
  readonly problem: string | null;
  /** Why the root is believed; null where none is known. */
  readonly basis: StoredAnchor['basis'] | 'files' | null;
  /** Lower hex: the pin. */
  readonly rootSha256: string | undefined;
  readonly pending: PendingHolding | null;
  /** null for files. */
  readonly cache: AnchorCache | null;
}

/** A set with another root than the known one. */
export interface PendingHolding extends SourcedAnchor {
  readonly rootSha256: string;
  /** Milliseconds since the epoch: when it was last served. */
  readonly fetchedAt: number;
  /** Why it could not be taken now, approved or not. */
  readonly problem: string | null;
  /** The approval lies there, and no gateway has taken it yet. */
  readonly isApproved: boolean;
}

export interface HoldingOptions {
  readonly anchors: readonly AnchorOptions[];
  readonly list: AnchorList;
  readonly cacheDir: string;
  readonly accept: Accept;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** In the order of the configuration. Throws TrustError for its files, GatewayError `TRUST_CACHE_UNREADABLE`. */
export async function readHoldings(options: HoldingOptions): Promise<Holding[]> {
  // A missing pin is said by `check`, and hides nothing here.
  const configured = await readConfiguredAnchors({ ...options, requirePin: false });
  return Promise.all(
    configured.map((anchor) =>
      'urls' in anchor ? readHolding(anchor, options) : holdingOf(anchor, options.list),
    ),
  );
}

function holdingOf(state: AnchorState, list: AnchorList): Holding {
  const { name, certificates, pinned } = state;
  const rootSha256 = pinned ? certificates[0].sha256 : undefined;
  return { name, list, state, problem: null, basis: 'files', rootSha256, pending: null, cache: null };
}

async function readHolding(
  { name, urls, rootSha256 }: UrlAnchor,
  { list, cacheDir, accept, now }: HoldingOptions,
): Promise<Holding> {
  const cache = new AnchorCache({ cacheDir, list, name, urls });
  const stored = (await cache.load()) ?? (await cache.loadRehearsed());
  const held = { name, list, rootSha256, cache };
  if (stored === null)
    return { ...held, state: null, problem: 'nothing was fetched yet', basis: null, pending: null };

  const { basis, fetchedAt, sources } = stored;
  const reading = readSources({
    name,
    sources,
    rootSha256: rootSha256 ?? stored.rootSha256,
    accept,
    now,
  });
  const pending = await readPending(stored, { name, cache, accept, now });
  if (reading.anchor === null) return { ...held, state: null, problem: reading.problem, basis, pending };
  const pinned = rootSha256 !== undefined;
  const { anchor, origins } = reading;
  const state: AnchorState = { ...anchor, origins, fetchedAt, pinned, source: 'cache' };
  return { ...held, state, problem: null, basis: pinned ? 'pin' : basis, pending };
}

async function readPending(
  stored: StoredAnchor,
  options: { name: string; cache: AnchorCache; accept: Accept; now: number },
): Promise<PendingHolding | null> {
  const { name, cache, accept, now } = options;
  const pending = await cache.loadPending();
  if (pending === null || pending.rootSha256 === stored.rootSha256) return null;
  const { rootSha256, fetchedAt, sources } = pending;
  const { certificates, origins, problem } = readSources({ name, sources, rootSha256, accept, now });
  const isApproved = (await cache.loadApproval()) === rootSha256;
  return { name, certificates, origins, rootSha256, fetchedAt, problem, isApproved };
}
