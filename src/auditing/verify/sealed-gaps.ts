/** Collects what the seals of a chain state themselves: lost records, a crash, a restart, a shortened file. */
import type { SealEvent } from '../../audit/seals/seal.ts';

import type { ReadSeal } from '../../audit/seals/seal-reader.ts';
import { type Facts, type Finding, newFinding, placeOf } from './finding.ts';
import type { Findings } from './findings.ts';
import type { Interval } from './lines-since-seal.ts';

export interface Sealed {
  readonly facts: Facts;
  /** The lines before the seal. */
  readonly interval: Interval;
  /** `event` of the seal before it; null: unknown. */
  readonly former: SealEvent | null;
  /** It covers these lines, apart from those of other programs. */
  readonly isCovered: boolean;
}

export class SealedGaps {
  readonly #findings: Findings;
  /** The last finding of each kind, which goes on if the next seal states the same. */
  readonly #open = new Map<string, Finding>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  note(seal: ReadSeal, sealed: Sealed): void {
    const { facts, isCovered } = sealed;
    if (seal.lost > 0) this.join(newFinding('records_lost', 'gap', { ...facts, count: seal.lost }));
    if (!isCovered) return;
    if (seal.event === 'resumed') this.#noteRestart(seal, sealed);
    if (seal.event === 'truncated')
      this.#findings.add(newFinding('file_shortened', 'notice', { ...facts, detail: 'complete' }));
  }

  /** The first seal of a process covers what is after the last seal of the process before it. */
  #noteRestart({ lines }: ReadSeal, { facts, interval, former }: Sealed): void {
    // A crash can cut the first seal of a process, but nothing writes a record after an orderly stop.
    const added = former === 'stopped' ? interval.wholeRecords : null;
    if (added !== null) {
      const from = added.first === null ? facts.from : placeOf(added.first);
      const after = { ...facts, from: from ?? null, count: added.count, detail: 'after stop' };
      this.#findings.add(newFinding('lines_inserted', 'tampering', after));
    } else if (lines > 0) this.#findings.add(newFinding('sealed_late', 'gap', { ...facts, count: lines }));
    else if (former !== null && former !== 'stopped')
      this.#findings.add(newFinding('stop_missing', 'gap', facts));
  }

  /** Reports the finding, or makes it part of the one before if it is of the same kind and about the next seal. */
  join(finding: Finding): void {
    const open = this.#open.get(finding.kind);
    const isNext = open?.seals != null && finding.seals?.first === open.seals.last + 1;
    const isSameFile = open?.to?.file === finding.to?.file && finding.kind === 'other_lines';
    if (open?.seals == null || finding.seals === null || !(isNext || isSameFile)) {
      this.#open.set(finding.kind, finding);
      return this.#findings.add(finding);
    }
    open.seals.last = finding.seals.last;
    open.to = finding.to;
    open.count = (open.count ?? 0) + (finding.count ?? 0);
  }
}
