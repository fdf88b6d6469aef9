/** Judges seals with a number that was there already, or should have been: a repeated or moved block, or another seal. */

import type { ReadSeal } from '../../audit/seals/seal-reader.ts';
import { type Facts, type Finding, type FindingKind, newFinding, type Place, placeOf } from './finding.ts';
import type { Findings } from './findings.ts';
import type { Interval } from './lines-since-seal.ts';
import { SealHistory } from './seal-history.ts';
import type { FaultLocator } from './wrong-lines.ts';

export interface ReturningSeal {
  readonly seal: ReadSeal;
  readonly place: Place;
  readonly facts: Facts;
  /** The lines since the last seal that was in order. */
  readonly interval: Interval;
}

export interface ReturningSealsOptions {
  readonly findings: Findings;
  /** Its time is limited. */
  readonly locator: FaultLocator;
}

export class ReturningSeals {
  readonly history = new SealHistory();
  readonly #findings: Findings;
  readonly #locator: FaultLocator;
  #missing: Finding | null = null;
  #last: Finding | null = null;

  constructor({ findings, locator }: ReturningSealsOptions) {
    this.#findings = findings;
    this.#locator = locator;
  }

  /** Seals that were skipped and may stand further on. */
  noteMissing(finding: Finding): void {
    this.#missing = finding;
  }

  /** The lines that remain: without those that this seal covers. */
  check(returning: ReturningSeal): Interval {
    const { seal, interval } = returning;
    // The lines may be many, and so may the seals that return.
    const coverage = this.#locator.spend(interval.keptBytes) ? interval.covers(seal) : 'none';
    const isOwn = coverage === 'end' || coverage === 'whole';
    this.#note(returning, isOwn ? seal.lines : 0);
    return isOwn ? (interval.withoutLast(seal.lines) ?? interval) : interval;
  }

  #note({ seal, place, facts, interval }: ReturningSeal, count: number): void {
    const kind = this.#kindOf(seal);
    const missing = this.#missing;
    if (
      kind === 'seal_out_of_order' &&
      missing?.seals?.first === seal.seq &&
      missing.seals.last === seal.seq
    ) {
      // Two seals that changed places are one fault.
      this.#findings.change(missing, 'tampering');
      Object.assign(missing, { kind, to: place });
      return;
    }
    const last = this.#last;
    if (last?.kind === kind && last.seals?.last === seal.seq - 1) {
      Object.assign(last, { to: place, seals: { first: last.seals.first, last: seal.seq } });
      last.count = (last.count ?? 0) + count;
      return;
    }
    const { first } = interval;
    const from = count > 0 && count === interval.count && first !== null ? placeOf(first) : place;
    this.#last = newFinding(kind, 'tampering', { ...facts, from, to: place, count });
    this.#findings.add(this.#last);
  }

  #kindOf(seal: ReadSeal): FindingKind {
    if (this.history.has(seal.seq, seal.hash)) return 'seal_repeated';
    const seals = this.#missing?.seals ?? null;
    const wasMissing = seals !== null && seal.seq >= seals.first && seal.seq <= seals.last;
    return wasMissing ? 'seal_out_of_order' : 'seal_foreign';
  }
}
