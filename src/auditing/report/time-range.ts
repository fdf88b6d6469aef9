/** The period of a report: `--since` and `--until`. */
import { UsageError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';

/** ISO 8601 in UTC, as the records have them, so that texts can be compared. */
export interface TimeRange {
  /** Included; null: from the begin of the files. */
  readonly since: string | null;
  /** Excluded; null: to their end. */
  readonly until: string | null;
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const duration = /^(\d{1,6})([smhd])$/;
const date = /^\d{4}-\d\d-\d\d$/;
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** `now`: milliseconds since the epoch. Throws UsageError. */
export function timeRange(
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  now: number,
): TimeRange {
  const range = {
    since: since === undefined ? null : timeOf('--since', since, now),
    until: until === undefined ? null : timeOf('--until', until, now),
  };
  if (range.since !== null && range.until !== null && range.since >= range.until)
    throw new UsageError(`--until: found ${range.until}, which is not after --since (${range.since})`);
  return range;
}

export function isWithin({ since, until }: TimeRange, time: string): boolean {
  return (since === null || time >= since) && (until === null || time < until);
}

function timeOf(option: string, text: string, now: number): string {
  const [, count, unit = ''] = duration.exec(text) ?? [];
  const ms = count === undefined ? Number.NaN : now - Number(count) * (units[unit] ?? Number.NaN);
  const parsed = date.test(text) || dateTime.test(text) ? Date.parse(text) : ms;
  if (Number.isNaN(parsed) || Math.abs(parsed) > 8.64e15)
    throw new UsageError(
      `${option}: found ${printable(text)}; allowed a date (2026-11-29, UTC), a time with its zone (2026-11-29T05:00:00Z), or a time back from now (90s, 30m, 24h, 7d)`,
    );
  return new Date(parsed).toISOString();
}
