/** Decides whether an OCSP response may replace the last one about the same certificate. Pure. */
import type { OcspAnswer } from './response.ts';
import { severity } from './status.ts';

/** What the decision depends on. */
type TimedOcspStatus = Pick<OcspAnswer, 'status' | 'thisUpdate' | 'freshUntil'>;

/**
 * `new`: it replaces the last one. `known`: it changes nothing, as a response from a slower replica of the responder.
 * Otherwise why it is refused: an older response with another status may be a replay, and `revoked` ends only with a
 * later `good` of a responder (RFC 6960 §2.2: certificateHold can be released). Any other status gives way once it has
 * expired; otherwise a responder whose clock was put back, or that was restored, would be refused for as long.
 * `now`: milliseconds since the epoch.
 */
export function checkOcspSuccession(
  next: TimedOcspStatus,
  last: TimedOcspStatus | null,
  now: number,
): 'new' | 'known' | { readonly objection: string } {
  if (last === null) return 'new';
  const isLater = next.thisUpdate > last.thisUpdate;
  if (next.status === last.status) return isLater || next.freshUntil > last.freshUntil ? 'new' : 'known';
  if (last.status !== 'revoked' && now > last.freshUntil) return 'new';
  // Of two responses with the same thisUpdate the worse one counts.
  const isSame = next.thisUpdate === last.thisUpdate;
  if (!isLater && !(isSame && severity[next.status] > severity[last.status]))
    return { objection: `${describe(next)} after ${describe(last)}` };
  if (last.status === 'revoked' && next.status === 'unknown')
    return { objection: `unknown after ${describe(last)}` };
  return 'new';
}

/** Whether both say the same as of the same time, so that either may be stored on disk. */
export function isSameStatus(one: TimedOcspStatus, other: TimedOcspStatus | null): boolean {
  return one.status === other?.status && one.thisUpdate === other.thisUpdate;
}

/**
 * Whether the next query can wait. If not, as with an expired response, or with `unknown` for a certificate that was just
 * issued, the responder is queried with backoff, like one that fails.
 */
export function isFresh(last: TimedOcspStatus | null, now: number): boolean {
  return last?.status === 'revoked' || (last?.status === 'good' && now < last.freshUntil);
}

function describe({ status, thisUpdate }: TimedOcspStatus): string {
  return `${status} as of ${new Date(thisUpdate).toISOString()}`;
}
