/** A limit for all waits of an examination together: each wait takes its own limit, or what is left if that is less. */

export interface Wait {
  /** Milliseconds; 0: the deadline is over, so that nothing must be begun. */
  readonly ms: number;
  /** Whether the deadline ends this wait, and not its own limit: a time-out then says nothing about the server. */
  readonly isCut: boolean;
}

export class Deadline {
  /** On the clock of `performance.now()`. */
  readonly #end: number;

  /** `totalMs`: milliseconds from now. */
  constructor(totalMs: number) {
    this.#end = performance.now() + totalMs;
  }

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  wait(timeoutMs: number): Wait {
    const left = Math.max(0, this.#end - performance.now());
    return left < timeoutMs ? { ms: left, isCut: true } : { ms: timeoutMs, isCut: false };
  }
}

/** The next wait on a server. */
export function waitFor(options: { readonly timeoutMs: number; readonly deadline?: Deadline }): Wait {
  const { timeoutMs, deadline } = options;
  return deadline?.wait(timeoutMs) ?? { ms: timeoutMs, isCut: false };
}
