/** Whether a CRL that has just come may take the place of the last good one from the same address: a pure decision. */
import { type CrlSnapshot, goesBack } from './crl.ts';

export interface Succession {
  /** null: nothing has come from there before. */
  readonly last: CrlSnapshot | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly grace: number;
}

/** What becomes of a CRL that is sound and rightly signed. What it revokes counts in any case. */
export type CrlSuccession =
  /** Its silence counts as well. `alarm`: what could not have followed the last one, had that not ended; null: nothing. */
  | { readonly takes: true; readonly alarm: string | null }
  /** The last good one stays; time may change that. */
  | { readonly takes: false; readonly objection: string };

/** How far other clocks may be ahead of ours, ms. */
const SKEW = 300_000;

export function succeedCrl(next: CrlSnapshot, { last, now, grace }: Succession): CrlSuccession {
  if (next.thisUpdate > now + SKEW) return refuse(`not yet valid: from ${isoTime(next.thisUpdate)} on`);
  if (next.nextUpdate !== null && now > next.nextUpdate + grace)
    return refuse(`expired: at ${isoTime(next.nextUpdate)}`);
  const misfit = last === null ? null : misfitOf(next, last);
  if (last === null || misfit === null) return { takes: true, alarm: null };
  // A CA that was restored or rebuilt begins to count anew. While the last one holds, that looks like a replay.
  const end = (last.nextUpdate ?? last.thisUpdate) + grace;
  if (now <= end) return refuse(misfit);
  return { takes: true, alarm: `${misfit}; the one before ended, with its grace, at ${isoTime(end)}` };
}

function refuse(objection: string): CrlSuccession {
  return { takes: false, objection };
}

/** Why it cannot follow the last one; null: it can. */
export function misfitOf(next: CrlSnapshot, last: CrlSnapshot): string | null {
  // Its numbers say nothing beside those of another series: an old CRL of a sibling, signed as well as this one,
  // would push out the one that certificates are looked for in.
  if (!isOfSameSeries(next, last)) return 'another series: the issuer, the scope or the kind is not the same';
  const back = goesBack(next, last);
  return back === null ? null : `rolled back: ${back}`;
}

/**
 * Whether what `last` revokes is forgotten for `next`. A number alone does not say which is younger: a CA that counts
 * anew gives low numbers to young lists, and the old one with its higher number may be served again beside them.
 */
export function overtakes(next: CrlSnapshot, last: CrlSnapshot, now: number): boolean {
  const isFuture = last.thisUpdate > now + SKEW;
  return misfitOf(next, last) === null && (isFuture || next.thisUpdate >= last.thisUpdate);
}

/** RFC 5280 §5.2.3 counts per issuer and scope; complete and delta CRLs at one address would take turns. */
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
