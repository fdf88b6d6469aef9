/** Durations and sizes in a configuration: a whole number and its unit. */

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const bytes = { B: 1, KiB: 1024, MiB: 1024 * 1024 } as const;

/** Node's timers have 32 bits: a timer with a longer duration fires at once. */
const maxDuration = 2 ** 31 - 1;

export const durationPattern = /^(0|[1-9]\d{0,9})(ms|s|m|h)$/;
export const sizePattern = /^(0|[1-9]\d{0,9})(B|KiB|MiB)$/;

/** `2s` → 2000 (milliseconds); undefined: not a duration, or longer than 24 days. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  if (count === undefined) return undefined;
  const duration = Number(count) * milliseconds[unit as keyof typeof milliseconds];
  return duration <= maxDuration ? duration : undefined;
}

/** `16KiB` → 16384 (bytes); undefined: not a size, or too large for an exact number. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = sizePattern.exec(text) ?? [];
  if (count === undefined) return undefined;
  const size = Number(count) * bytes[unit as keyof typeof bytes];
  return Number.isSafeInteger(size) ? size : undefined;
}
