/** The findings of a verification: a bounded number of each severity, and the number of the others. */
import type { Finding, Severity } from './finding.ts';

/** A file of foreign lines would otherwise fill the memory. */
const maxKept = 1000;

const severities: readonly Severity[] = ['tampering', 'gap', 'notice'];

export class Findings {
  readonly #kept: Finding[] = [];
  readonly #added: Record<Severity, number> = { tampering: 0, gap: 0, notice: 0 };
  readonly omitted: Record<Severity, number> = { tampering: 0, gap: 0, notice: 0 };

  add(finding: Finding): void {
    this.#added[finding.severity]++;
    if (this.#added[finding.severity] <= maxKept) this.#kept.push(finding);
    else this.omitted[finding.severity]++;
  }

  /** Worst first, then in the order of the files. */
  get sorted(): readonly Finding[] {
    return severities.flatMap((severity) => this.#kept.filter((each) => each.severity === severity));
  }

  count(severity: Severity): number {
    return this.#kept.filter((each) => each.severity === severity).length + this.omitted[severity];
  }

  get verdict(): 'tampered' | 'incomplete' | 'sound' {
    if (this.count('tampering') > 0) return 'tampered';
    return this.count('gap') > 0 ? 'incomplete' : 'sound';
  }
}
