/**
 * The known root of an anchor from URLs: the pinned one, or else the one that was approved or trusted first. Without a pin
 * and a stored set the first root is trusted; every other one after it needs approval.
 */
import type { Certificate } from '../pki/certificate.ts';
import type { StoredAnchor } from './disk-cache.ts';
import { rootsOf } from './root-choice.ts';
import type { ServedSet } from './served-set.ts';
import type { AnchorState } from './state.ts';

export interface KnownRootFacts {
  /** The last good set on disk; null: nothing is known yet, and the first root is trusted on first use. */
  readonly stored: StoredAnchor | null;
  readonly inUse: AnchorState | null;
  /** The pinned root in lower hex. */
  readonly pin: string | undefined;
}

/** The root that is served and not known; `known`: the one that is, in lower hex. null: there is none. */
export function findChangedRoot(
  served: ServedSet,
  { stored, inUse, pin }: KnownRootFacts,
): { readonly root: Certificate; readonly known: string } | null {
  if (stored === null) return null;
  const roots = inUse === null ? [] : rootsOf(inUse);
  const root = findUnknownRoot(
    served,
    new Set([stored.rootSha256, pin, ...roots.map(({ sha256 }) => sha256)]),
  );
  return root === undefined ? null : { root, known: stored.rootSha256 };
}

/** Why the root of a set that is accepted is trusted. */
export function basisOf({ stored, pin }: Pick<KnownRootFacts, 'stored' | 'pin'>): StoredAnchor['basis'] {
  return pin === undefined ? (stored?.basis ?? 'first_use') : 'pin';
}

/**
 * A root that is not among the known ones (lower hex SHA-256). A new certificate of a known root, renewed under its key,
 * counts as known if a known certificate of that root is served too.
 */
function findUnknownRoot(
  { roots, anchor }: ServedSet,
  known: ReadonlySet<string | undefined>,
): Certificate | undefined {
  const family = anchor === null ? [] : rootsOf(anchor);
  if (family.some(({ sha256 }) => known.has(sha256))) return undefined;
  return roots.find(({ sha256 }) => !known.has(sha256));
}
