/** What a set that the sources have just served may change of what is in use: pure decisions. */
import type { Certificate } from '../pki/certificate.ts';
import type { SoundReading, SourcesReading } from './served-set.ts';
import { faultOfTime } from './skipped-certificates.ts';
import type { AnchorState } from './state.ts';
import { rootsOf } from './trust-anchor.ts';

/** A root that is neither known (lower hex SHA-256) nor, beside one that is, the same one renewed under its key. */
export function findForeignRoot(
  { roots, anchor }: SourcesReading,
  known: ReadonlySet<string | undefined>,
): Certificate | undefined {
  const family = anchor === null ? [] : rootsOf(anchor);
  if (family.some(({ sha256 }) => known.has(sha256))) return undefined;
  return roots.find(({ sha256 }) => !known.has(sha256));
}

function unreadableIn({ passedOver }: Pick<AnchorState, 'passedOver'>): number {
  return passedOver.filter(({ reason }) => reason === 'unreadable').length;
}

/**
 * Why a set that is sound but for some of its certificates is not taken; null: it is. What cannot be read may be a
 * certificate that is in use, or one that is in use has lost its issuer. What the sources no longer serve is given up as
 * ever. `now`: milliseconds since the epoch.
 */
export function lossBy(
  { certificates, anchor }: SoundReading,
  inUse: AnchorState | null,
  now: number,
): string | null {
  const kept = new Set(anchor.certificates.map(({ sha256 }) => sha256));
  const served = new Set(certificates.map(({ sha256 }) => sha256));
  // One that could not be read before either is none that is in use.
  const mayBeUnreadable = unreadableIn(anchor) > (inUse === null ? 0 : unreadableIn(inUse));
  const lost = (inUse?.certificates ?? []).filter(
    (each) =>
      !kept.has(each.sha256) &&
      (mayBeUnreadable || served.has(each.sha256)) &&
      faultOfTime(each, now) === null,
  );
  if (lost.length === 0) return null;
  const faults = anchor.passedOver.map(({ detail }) => detail).join('; ');
  return `${faults}; without it ${lost.map(({ subject }) => subject).join(' and ')} would be missing`;
}
