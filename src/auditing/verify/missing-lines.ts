/** What is said about lines and seals that are not there: before the first seal that was given, and in the middle of a chain. */
import type { ReadSeal } from '../../audit/seals/seal-reader.ts';
import { damagedSealFinding } from './damaged-seals.ts';
import { type Facts, type Finding, newFinding, placeOf } from './finding.ts';
import type { Interval } from './lines-since-seal.ts';

export interface UnseenLines {
  readonly seal: ReadSeal;
  /** The lines before the seal that are there. */
  readonly interval: Interval;
  readonly facts: Facts;
}

/** The first seal of a chain also covers lines of a file that was not given. null: none of its lines is there. */
export function unprovenBegin({ interval, facts }: Omit<UnseenLines, 'seal'>): Finding | null {
  const { first, count } = interval;
  if (first === null) return null;
  const gap = newFinding('begin_unproven', 'gap', { ...facts, from: placeOf(first), count });
  return damagedSealFinding(interval, facts) ?? gap;
}

/** Seals are missing before this one. `facts.seals`: their numbers. */
export function missingSeals({ seal, interval, facts }: UnseenLines): Finding {
  const isShortened = seal.event === 'truncated';
  const count = facts.seals == null ? 0 : facts.seals.last - facts.seals.first + 1;
  const isInPlace = isShortened || interval.damagedSeals.length === count;
  const damaged = isInPlace ? damagedSealFinding(interval, facts) : null;
  if (damaged !== null) return damaged;
  return isShortened
    ? newFinding('file_shortened', 'gap', facts)
    : newFinding('seals_missing', 'tampering', facts);
}
