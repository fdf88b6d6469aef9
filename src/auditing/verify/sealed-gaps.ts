/** Collects what the seals of a chain state themselves: lost records, a crash, a shortened file. */

import type { ReadSeal } from '../reading/seal-line.ts';
import { type Facts, type Finding, newFinding } from './finding.ts';
import type { Findings } from './findings.ts';

export class SealedGaps {
  readonly #findings: Findings;
  /** The last finding of each kind, which goes on if the next seal states the same. */
  readonly #open = new Map<string, Finding>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** `isCovered`: the seal covers the lines before it. */
  note(seal: ReadSeal, { facts, isCovered }: { readonly facts: Facts; readonly isCovered: boolean }): void {
    if (seal.lost > 0) this.join(newFinding('records_lost', 'gap', { ...facts, count: seal.lost }));
    if (!isCovered) return;
    if (seal.event === 'resumed' && seal.lines > 0)
      this.#findings.add(newFinding('sealed_late', 'gap', { ...facts, count: seal.lines }));
    if (seal.event === 'truncated')
      this.#findings.add(newFinding('file_shortened', 'notice', { ...facts, detail: 'complete' }));
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
