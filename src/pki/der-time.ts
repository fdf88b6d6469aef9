/** The moments that UTCTime and GeneralizedTime state, in any form of X.680 §46. */

/** Milliseconds since the epoch; NaN: not a valid date and time. */
export function utcTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const inRange = month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59;
  // Date.UTC would read 31 June as 1 July, and a year below 100 as 19xx.
  if (!inRange || !(day <= daysIn(year, month))) return Number.NaN;
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return year >= 100 ? time : new Date(time).setUTCFullYear(year);
}

const anyUtcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/;
const anyGeneralizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,]\d+)?)?)?(Z|[+-]\d{4})$/;

/**
 * Milliseconds since the epoch, without fractions of a second; NaN: not a valid time. `isUtcTime`: a UTCTime, otherwise a
 * GeneralizedTime.
 */
export function parseAnyTime(contents: Uint8Array, isUtcTime: boolean): number {
  if (contents.length > 40) return Number.NaN;
  const text = Buffer.from(contents).toString('latin1');
  const match = (isUtcTime ? anyUtcTime : anyGeneralizedTime).exec(text);
  if (match === null) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part = '0') => Number(part));
  const fullYear = isUtcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return utcTime(fullYear, month, day, hour, minute, second) - offsetOf(match[7] ?? 'Z');
}

/** Milliseconds that a zone is ahead of UTC; NaN: not a valid zone. */
function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
