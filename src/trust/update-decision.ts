/** Decides whether the set that the sources serve replaces the set in use, is refused, or needs approval. Pure. */
import type { Certificate } from '../pki/certificate.ts';
import type { StoredAnchor } from './disk-cache.ts';
import { basisOf, findChangedRoot, type KnownRootFacts } from './known-root.ts';
import type { ServedSet, UsableSet } from './served-set.ts';
import { outsideValidity } from './skipped-certificates.ts';
import type { AnchorState, TrustAction } from './state.ts';
import { haveSameCertificates } from './trust-anchor.ts';

export type UpdateDecision =
  /** The set has another root than the known one, `known` in lower hex: it needs approval. */
  | { readonly kind: 'root_changed'; readonly root: Certificate; readonly known: string }
  | { readonly kind: 'refused'; readonly detail: string }
  /** `action`: the event to report; null: the sources confirm the set in use. */
  | {
      readonly kind: 'accepted';
      readonly set: UsableSet;
      readonly basis: StoredAnchor['basis'];
      readonly action: TrustAction | null;
    };

export interface UpdateFacts extends KnownRootFacts {
  readonly served: ServedSet;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function decideUpdate({ served, stored, inUse, pin, now }: UpdateFacts): UpdateDecision {
  const changed = findChangedRoot(served, { stored, inUse, pin });
  if (changed !== null) return { kind: 'root_changed', ...changed };
  if (served.anchor === null) return { kind: 'refused', detail: served.problem };
  const loss = lossThrough(served, inUse, now);
  if (loss !== null) return { kind: 'refused', detail: loss };
  const basis = basisOf({ stored, pin });
  const isNew = inUse?.source !== 'url' || !haveSameCertificates(inUse, served.anchor);
  const action = stored === null && pin === undefined ? 'trust_on_first_use' : isNew ? 'fetched' : null;
  return { kind: 'accepted', set: served, basis, action };
}

function countUnreadable({ skipped }: Pick<AnchorState, 'skipped'>): number {
  return skipped.filter(({ reason }) => reason === 'unreadable').length;
}

/**
 * Why a usable set is refused because of its skipped certificates; null: it is accepted. A certificate that cannot be
 * read may be one that is in use, and one in use may have lost its issuer. A certificate that the sources no longer
 * serve is removed without an objection.
 */
function lossThrough(
  { certificates, anchor }: UsableSet,
  inUse: AnchorState | null,
  now: number,
): string | null {
  const kept = new Set(anchor.certificates.map(({ sha256 }) => sha256));
  const served = new Set(certificates.map(({ sha256 }) => sha256));
  // A certificate that was unreadable before, too, is not one in use.
  const mayBeUnreadable = countUnreadable(anchor) > (inUse === null ? 0 : countUnreadable(inUse));
  const lost = (inUse?.certificates ?? []).filter(
    (each) =>
      !kept.has(each.sha256) &&
      (mayBeUnreadable || served.has(each.sha256)) &&
      outsideValidity(each, now) === null,
  );
  if (lost.length === 0) return null;
  const faults = anchor.skipped.map(({ detail }) => detail).join('; ');
  return `${faults}; this update would remove ${lost.map(({ subject }) => subject).join(' and ')}, which is in use`;
}
