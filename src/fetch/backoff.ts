/** When to fetch again: the pauses between fetches, and the timers that end them. */

/** What the tests put their own in place of. */
export interface Timers {
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const nodeTimers: Timers = {
  setTimeout,
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Node's timers take 32 bits: a longer pause would be none at all. */
export const longestPause = 2 ** 31 - 1;

const firstBackoff = 1000;

/**
 * Milliseconds until the next fetch: `refresh` less up to a tenth after a success, else 1 s doubled with every
 * failure in a row up to `refresh`, less up to a half. The jitter keeps a fleet from asking all at once.
 */
export function pause(options: { failures: number; refresh: number; random: number }): number {
  const { failures, random } = options;
  const refresh = Math.min(options.refresh, longestPause);
  if (failures === 0) return refresh * (1 - random / 10);
  return Math.min(refresh, firstBackoff * 2 ** (failures - 1)) * (1 - random / 2);
}
