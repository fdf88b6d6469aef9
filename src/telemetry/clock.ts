/** Times as records have them (ISO 8601, UTC, with milliseconds), and a clock that cannot be set. */
import os from 'node:os';

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

/**
 * Milliseconds since the machine started. Unlike `performance.now`, it goes on while the machine sleeps: on Linux it is
 * CLOCK_BOOTTIME, with a resolution of ten milliseconds. It costs a system call or more.
 */
export function elapsedMs(): number {
  return os.uptime() * 1000;
}
