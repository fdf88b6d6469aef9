/** Whether a CRL that has just come may take the place of the last good one from the same address: a pure decision. */
import { type CrlSnapshot, goesBack } from './crl.ts';

export interface Succession {
  /** null: nothing has come from there before. */
  readonly last: CrlSnapshot | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly grace: number;
}

/** How far other clocks may be ahead of ours, ms. */
const SKEW = 300_000;

/** Why the last good one stays; null: the next one takes its place. */
export function objectionToCrl(next: CrlSnapshot, { last, now, grace }: Succession): string | null {
  if (next.thisUpdate > now + SKEW) return `not yet valid: from ${isoTime(next.thisUpdate)} on`;
  const end = endOf(next, grace);
  if (now > end) return `expired: at ${isoTime(next.nextUpdate ?? next.thisUpdate)}`;
  if (last === null) return null;
  if (isOfSameSeries(next, last)) {
    const back = goesBack(next, last);
    return back === null ? null : `rolled back: ${back}`;
  }
  // Its numbers say nothing beside those of another series: an old CRL of a sibling, signed as well as this one,
  // would push out the one that certificates are looked for in.
  return now > endOf(last, grace)
    ? null
    : 'another series: the issuer, the scope or the kind is not the same';
}

/** RFC 5280 §5.2.3 counts per issuer and scope; complete and delta CRLs at one address would take turns. */
function isOfSameSeries(one: CrlSnapshot, other: CrlSnapshot): boolean {
  return (
    one.issuer === other.issuer &&
    one.scope.extension === other.scope.extension &&
    (one.baseNumber === null) === (other.baseNumber === null)
  );
}

function endOf({ nextUpdate }: CrlSnapshot, grace: number): number {
  return nextUpdate === null ? Number.POSITIVE_INFINITY : nextUpdate + grace;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
