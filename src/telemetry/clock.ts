/** Formats times for records: ISO 8601, UTC, with milliseconds. */

let cachedSecond = Number.NaN;
let cachedText = '';

/** `milliseconds`: since the epoch. Fast for times within the same second: the text of the last second is cached. */
export function isoTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== cachedSecond) {
    cachedText = new Date(second * 1000).toISOString().slice(0, 20);
    cachedSecond = second;
  }
  const rest = Math.floor(milliseconds) - second * 1000;
  return `${cachedText}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`;
}
