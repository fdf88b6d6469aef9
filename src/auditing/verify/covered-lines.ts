/** Judges whether the lines before a seal are those that it covers. */

import type { ReadSeal } from '../../audit/seals/seal-reader.ts';
import { type Facts, type Finding, newFinding, type Place, placeOf } from './finding.ts';
import type { Interval } from './lines-since-seal.ts';
import { type FaultLocator, sha256Of } from './wrong-lines.ts';

export interface SealedLines {
  readonly interval: Interval;
  readonly seal: ReadSeal;
  /** The last seal before the lines; null: unknown. */
  readonly before: Place | null;
  /** The seal. */
  readonly place: Place;
  readonly locator: FaultLocator;
}

/** null: the seal covers the lines. Else a finding that was not reported yet. */
export function checkContent(sealed: SealedLines): Finding | null {
  const { interval, seal, before, place } = sealed;
  const coverage = interval.covers(seal);
  if (coverage === 'whole') return null;
  const facts: Facts = {
    from: before,
    to: place,
    chain: seal.chain,
    seals: { first: seal.seq, last: seal.seq },
  };
  if (coverage === 'without_others') {
    const { firstOther } = interval;
    const from = firstOther === null ? before : placeOf(firstOther);
    return newFinding('other_lines', 'gap', { ...facts, from, count: interval.others });
  }
  const surplus = interval.count - seal.lines;
  if (surplus < 0) {
    const count = -surplus;
    // Something else shortened the file, and the gateway has stated it in this seal.
    if (seal.event === 'truncated') return newFinding('file_shortened', 'gap', { ...facts, count });
    return newFinding('lines_removed', 'tampering', { ...facts, count });
  }
  return located(sealed, facts);
}

function located({ interval, seal, before, place, locator }: SealedLines, facts: Facts): Finding {
  const lines = interval.kept;
  const surplus = interval.count - seal.lines;
  const otherwise = surplus > 0 ? 'lines_inserted' : 'lines_changed';
  const count = surplus > 0 ? surplus : null;
  const fault =
    lines === null
      ? null
      : locator.locate(
          lines.map(({ bytes }) => bytes),
          seal,
        );
  if (lines === null || fault === null) return newFinding(otherwise, 'tampering', { ...facts, count });
  const at = (index: number, outside: Place | null) => {
    const line = lines[index];
    return line === undefined ? outside : placeOf(line);
  };
  if (fault.kind === 'swapped') {
    const [from, to] = [at(fault.first, before), at(fault.second, place)];
    return newFinding('lines_reordered', 'tampering', { ...facts, from, to, count: 2, detail: 'swapped' });
  }
  const [from, to] = [at(fault.index, before), at(fault.index + fault.count - 1, place)];
  return newFinding('lines_inserted', 'tampering', { ...facts, from, to, count, detail: 'located' });
}

/** Whether two wrong seals are right if the first of them stands at another place among the same lines. */
export function isMovedSeal(
  [first, second]: readonly [Interval, Interval],
  [firstSeal, secondSeal]: readonly [ReadSeal, ReadSeal],
): boolean {
  if (first.count + second.count !== firstSeal.lines + secondSeal.lines) return false;
  if (first.kept === null || second.kept === null) return false;
  const lines = [...first.kept, ...second.kept].map(({ bytes }) => bytes);
  return (
    sha256Of(lines.slice(0, firstSeal.lines)) === firstSeal.sha256 &&
    sha256Of(lines.slice(firstSeal.lines)) === secondSeal.sha256
  );
}
