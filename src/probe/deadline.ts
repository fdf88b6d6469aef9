/** A limit for several connections together. */

export interface Deadline {
  /** `timeoutMs`, or what is left if that is less; at least 1. */
  within(timeoutMs: number): number;
}

export function deadlineIn(totalMs: number): Deadline {
  const end = performance.now() + totalMs;
  return { within: (timeoutMs) => Math.max(1, Math.min(timeoutMs, end - performance.now())) };
}
