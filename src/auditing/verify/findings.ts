/** The findings of a verification: a bounded number of each severity, and the number of the others. */
import type { Finding, Severity } from './finding.ts';

/** A file of foreign lines would otherwise fill the memory. */
const maxKept = 1000;

const severities: readonly Severity[] = ['tampering', 'gap', 'notice'];

export class Findings {
  /** Each with its number in the order in which they were found. */
  readonly #kept: Record<Severity, Map<Finding, number>> = {
    tampering: new Map(),
    gap: new Map(),
    notice: new Map(),
  };
  #added = 0;
  readonly omitted: Record<Severity, number> = { tampering: 0, gap: 0, notice: 0 };

  add(finding: Finding): void {
    this.#keep(finding, this.#added++);
  }

  /** What later lines say about a finding counts also if it is not kept. */
  change(finding: Finding, severity: Severity): void {
    if (finding.severity === severity) return;
    const kept = this.#kept[finding.severity];
    const order = kept.get(finding) ?? this.#added;
    if (!kept.delete(finding)) this.omitted[finding.severity]--;
    finding.severity = severity;
    this.#keep(finding, order);
  }

  /** Worst first, then in the order in which they were found. */
  get sorted(): readonly Finding[] {
    const inOrder = (kept: ReadonlyMap<Finding, number>) =>
      [...kept].sort(([, a], [, b]) => a - b).map(([finding]) => finding);
    return severities.flatMap((severity) => inOrder(this.#kept[severity]));
  }

  count(severity: Severity): number {
    return this.#kept[severity].size + this.omitted[severity];
  }

  get verdict(): 'tampered' | 'incomplete' | 'sound' {
    if (this.count('tampering') > 0) return 'tampered';
    return this.count('gap') > 0 ? 'incomplete' : 'sound';
  }

  #keep(finding: Finding, order: number): void {
    const kept = this.#kept[finding.severity];
    if (kept.size < maxKept) kept.set(finding, order);
    else this.omitted[finding.severity]++;
  }
}
