/** Counts the verdicts of one policy on the messages of one route. */
import { increment } from './bucket-counts.ts';

/** `verdict`: `allow` or a reason. */
export type VerdictDelta = readonly (readonly [mode: string, verdict: string, count: number])[];

export class VerdictCounts {
  readonly #counts = new Map<string, Map<string, number>>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(verdict: string, mode: 'enforce' | 'shadow'): void {
    let verdicts = this.#counts.get(mode);
    if (verdicts === undefined) {
      verdicts = new Map();
      this.#counts.set(mode, verdicts);
    }
    increment(verdicts, verdict);
  }

  /** Those since the last call. */
  take(): VerdictDelta {
    const delta = [...this.#counts].flatMap(([mode, verdicts]) =>
      [...verdicts].map(([verdict, count]) => [mode, verdict, count] as const),
    );
    this.#counts.clear();
    return delta;
  }
}
