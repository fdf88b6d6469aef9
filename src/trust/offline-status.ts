/** The status of each anchor from files and cache, as a start would find it; for the `trust` commands, fetches nothing. */
import type { SourcedAnchor } from './anchor-changes.ts';
import { type AnchorOptions, readConfiguredAnchors, type UrlAnchor } from './configured-anchors.ts';
import { AnchorCache, type AnchorList, type StoredAnchor } from './disk-cache.ts';
import { readServedSet } from './served-set.ts';
import type { AnchorState } from './state.ts';
import type { Accept } from './trust-anchor.ts';

export interface AnchorStatus {
  readonly name: string;
  readonly list: AnchorList;
  /** null: there is no usable set. */
  readonly state: AnchorState | null;
  /** Why there is no usable set. */
  readonly problem: string | null;
  /** Why the root is trusted; null: no root is known. */
  readonly basis: StoredAnchor['basis'] | 'files' | null;
  /** The pinned root in lower hex. */
  readonly rootSha256: string | undefined;
  readonly pending: PendingRootStatus | null;
  /** null for an anchor from files. */
  readonly cache: AnchorCache | null;
}

/** A set with another root than the known one. */
export interface PendingRootStatus extends SourcedAnchor {
  readonly rootSha256: string;
  /** Milliseconds since the epoch: when it was last served. */
  readonly fetchedAt: number;
  /** Why the set could not be used now, even if approved. */
  readonly problem: string | null;
  /** Approved, but no gateway has used it yet. */
  readonly isApproved: boolean;
}

export interface StatusOptions {
  readonly anchors: readonly AnchorOptions[];
  readonly list: AnchorList;
  readonly cacheDir: string;
  readonly accept: Accept;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * In the order of the configuration. Throws TrustError for files that cannot be used, and GatewayError
 * `TRUST_CACHE_UNREADABLE`.
 */
export async function readAnchorStatus(options: StatusOptions): Promise<AnchorStatus[]> {
  // `check` reports a missing pin; the status is shown all the same.
  const configured = await readConfiguredAnchors({ ...options, requirePin: false });
  return Promise.all(
    configured.map((anchor) =>
      'urls' in anchor ? statusOfUrls(anchor, options) : statusOfFiles(anchor, options.list),
    ),
  );
}

function statusOfFiles(state: AnchorState, list: AnchorList): AnchorStatus {
  const { name, certificates, pinned } = state;
  const rootSha256 = pinned ? certificates[0].sha256 : undefined;
  return { name, list, state, problem: null, basis: 'files', rootSha256, pending: null, cache: null };
}

async function statusOfUrls(
  { name, urls, rootSha256 }: UrlAnchor,
  { list, cacheDir, accept, now }: StatusOptions,
): Promise<AnchorStatus> {
  const cache = new AnchorCache({ cacheDir, list, name, urls });
  const stored = (await cache.load()) ?? (await cache.loadCandidate());
  const common = { name, list, rootSha256, cache };
  if (stored === null)
    return { ...common, state: null, problem: 'nothing was fetched yet', basis: null, pending: null };

  const { basis, fetchedAt, sources } = stored;
  const set = readServedSet({ name, sources, rootSha256: rootSha256 ?? stored.rootSha256, accept, now });
  const pending = await readPending(stored, { name, cache, accept, now });
  if (set.anchor === null) return { ...common, state: null, problem: set.problem, basis, pending };
  const pinned = rootSha256 !== undefined;
  const { anchor, origins } = set;
  const state: AnchorState = { ...anchor, origins, fetchedAt, pinned, source: 'cache' };
  return { ...common, state, problem: null, basis: pinned ? 'pin' : basis, pending };
}

async function readPending(
  stored: StoredAnchor,
  options: { name: string; cache: AnchorCache; accept: Accept; now: number },
): Promise<PendingRootStatus | null> {
  const { name, cache, accept, now } = options;
  const pending = await cache.loadPending();
  if (pending === null || pending.rootSha256 === stored.rootSha256) return null;
  const { rootSha256, fetchedAt, sources } = pending;
  const { certificates, origins, problem } = readServedSet({ name, sources, rootSha256, accept, now });
  const isApproved = (await cache.loadApproval()) === rootSha256;
  return { name, certificates, origins, rootSha256, fetchedAt, problem, isApproved };
}
