/** Decides whether a newly fetched CRL may replace the CRL in use from the same address; detects rollback. Pure. */
import { CLOCK_SKEW } from '../clock-skew.ts';
import type { CrlSnapshot } from './crl.ts';

interface SuccessionInput {
  /** The CRL in use; null: none. */
  readonly last: CrlSnapshot | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly grace: number;
}

/** For a CRL whose signature is valid. The certificates that it lists count as revoked either way. */
type CrlSuccession =
  /** `warning`: why it could not have replaced the last CRL before that expired; null: it could have. */
  | { readonly accepted: true; readonly warning: string | null }
  /** The last CRL stays in use; the decision can change with time. */
  | { readonly accepted: false; readonly objection: string };

export function checkCrlSuccession(next: CrlSnapshot, { last, now, grace }: SuccessionInput): CrlSuccession {
  if (next.thisUpdate > now + CLOCK_SKEW)
    return refuse(`not yet valid: its thisUpdate is ${isoTime(next.thisUpdate)}`);
  if (next.nextUpdate !== null && now > next.nextUpdate + grace)
    return refuse(`expired: at ${isoTime(next.nextUpdate)}, and the grace period has passed too`);
  const objection = last === null ? null : objectionTo(next, last);
  if (last === null || objection === null) return { accepted: true, warning: null };
  // A CA that was restored or rebuilt restarts its numbers. While the last CRL is valid, that could be a replay.
  const end = (last.nextUpdate ?? last.thisUpdate) + grace;
  if (now <= end) return refuse(objection);
  const warning = `${objection}; accepted because the CRL in use expired, grace period included, at ${isoTime(end)}: ask the CA whether it restarted its CRL numbers`;
  return { accepted: true, warning };
}

function refuse(objection: string): CrlSuccession {
  return { accepted: false, objection };
}

/** Why `next` cannot follow `last`; null: it can. */
function objectionTo(next: CrlSnapshot, last: CrlSnapshot): string | null {
  // Numbers of different series cannot be compared. Without this check an old CRL of another series, signed by the
  // same CA, could replace the one that covers the certificates.
  if (!isOfSameSeries(next, last))
    return 'another series: its issuer, its scope or its kind (complete or delta) is not that of the CRL in use';
  const rollback = rollbackOf(next, last);
  return rollback === null ? null : `rolled back: ${rollback}`;
}

/**
 * Describes how the number (RFC 5280 §5.2.3) or, where the numbers are equal or absent, thisUpdate goes back; null: it
 * does not.
 */
export function rollbackOf(
  next: Pick<CrlSnapshot, 'number' | 'thisUpdate'>,
  last: Pick<CrlSnapshot, 'number' | 'thisUpdate'>,
): string | null {
  if (last.number !== null && next.number === null) return `no CRL number after ${last.number}`;
  if (last.number !== null && next.number !== null && next.number < last.number)
    return `CRL number ${next.number} after ${last.number}`;
  if (next.thisUpdate < last.thisUpdate && next.number === last.number)
    return `a CRL with thisUpdate ${isoTime(next.thisUpdate)} after one with ${isoTime(last.thisUpdate)}`;
  return null;
}

/**
 * Whether `next` cancels what `last` revokes. The number alone does not show which is newer: a CA that restarts its
 * numbers gives low numbers to new CRLs, and the old CRL with a higher number may still be served beside them.
 */
export function supersedes(next: CrlSnapshot, last: CrlSnapshot, now: number): boolean {
  const isFuture = last.thisUpdate > now + CLOCK_SKEW;
  return objectionTo(next, last) === null && (isFuture || next.thisUpdate >= last.thisUpdate);
}

/** A series has one issuer, scope (RFC 5280 §5.2.3) and kind: complete and delta CRLs do not replace each other. */
export function isOfSameSeries(one: CrlSnapshot, other: CrlSnapshot): boolean {
  return (
    one.issuer === other.issuer &&
    one.scope.extension === other.scope.extension &&
    (one.baseNumber === null) === (other.baseNumber === null)
  );
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
