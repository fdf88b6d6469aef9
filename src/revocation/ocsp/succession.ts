/** Which of two sound OCSP answers about one certificate is the last word: a pure decision. */
import type { OcspAnswer } from './response.ts';

type Word = Pick<OcspAnswer, 'status' | 'thisUpdate' | 'freshUntil'>;

/** A responder that says two things of one moment is taken at the worse one. */
const severity = { good: 0, unknown: 1, revoked: 2 } as const;

/**
 * `new`: it is the last word from now on. `known`: it adds nothing, as an answer from a responder's slower replica
 * does. Else why it is refused: an older answer may be one that somebody replays, and a revocation ends only with a
 * responder's own later good (RFC 6960 §2.2 lets certificateHold be released). Any other word gives way when it has
 * ended: a responder whose clock was put back, or that was restored, would otherwise not be heard for as long.
 * `now`: milliseconds since the epoch.
 */
export function succeed(
  next: Word,
  last: Word | null,
  now: number,
): 'new' | 'known' | { readonly objection: string } {
  if (last === null) return 'new';
  const isLater = next.thisUpdate > last.thisUpdate;
  if (next.status === last.status) return isLater || next.freshUntil > last.freshUntil ? 'new' : 'known';
  if (last.status !== 'revoked' && now > last.freshUntil) return 'new';
  const isSame = next.thisUpdate === last.thisUpdate;
  if (!isLater && !(isSame && severity[next.status] > severity[last.status]))
    return { objection: `${tell(next)} after ${tell(last)}` };
  if (last.status === 'revoked' && next.status === 'unknown')
    return { objection: `unknown after ${tell(last)}` };
  return 'new';
}

/** What is in use, or what says the same as of the same moment: on disk either stands for the other. */
export function isSameWord(one: Word, other: Word | null): boolean {
  return one.status === other?.status && one.thisUpdate === other.thisUpdate;
}

/**
 * Whether there is no need to ask soon. A responder that goes on giving an answer that has ended, or does not know a
 * certificate yet that was just issued, is asked soon, and more and more slowly, like one that fails.
 */
export function isFresh(word: Word | null, now: number): boolean {
  return word?.status === 'revoked' || (word?.status === 'good' && now < word.freshUntil);
}

function tell({ status, thisUpdate }: Word): string {
  return `${status} as of ${new Date(thisUpdate).toISOString()}`;
}
