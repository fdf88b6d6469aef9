/** The timers of everything that repeats or retries, as an interface so that tests can fire them by hand. */

export interface Timers {
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const nodeTimers: Timers = {
  setTimeout,
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** The longest delay in milliseconds: Node fires a timer with a delay beyond 32 bits at once. */
export const maxDelay = 2 ** 31 - 1;
