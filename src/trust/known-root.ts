/** The known root of an anchor from URLs: the pinned one, or else the one that was approved or trusted first. Another one needs approval. */
import type { Certificate } from '../pki/certificate.ts';
import type { StoredAnchor } from './disk-cache.ts';
import { rootsOf } from './root-choice.ts';
import type { ServedSet } from './served-set.ts';
import type { AnchorState } from './state.ts';

interface KnownRootFacts {
  /** The last good set on disk; null: none, so that no root is known but the pinned one. */
  readonly stored: StoredAnchor | null;
  /** The pinned root in lower hex. */
  readonly pin: string | undefined;
  readonly inUse: AnchorState | null;
}

/** In lower hex. */
export function knownRoots({ stored, pin, inUse }: KnownRootFacts): ReadonlySet<string | undefined> {
  const roots = inUse === null ? [] : rootsOf(inUse);
  return new Set([stored?.rootSha256, pin, ...roots.map(({ sha256 }) => sha256)]);
}

/**
 * A root that is not among the known ones (lower hex SHA-256). A new certificate of a known root, renewed under its key,
 * counts as known if a known certificate of that root is served too.
 */
export function findUnknownRoot(
  { roots, anchor }: ServedSet,
  known: ReadonlySet<string | undefined>,
): Certificate | undefined {
  const family = anchor === null ? [] : rootsOf(anchor);
  if (family.some(({ sha256 }) => known.has(sha256))) return undefined;
  return roots.find(({ sha256 }) => !known.has(sha256));
}
