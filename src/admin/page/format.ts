/** Numbers, spans and times as text. Times are in UTC, as in the audit records. */

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** What stands for a value that is not known. */
export const unknown = '–';

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

export function formatCount(value: number): string {
  return whole.format(value);
}

/** Below ten with one digit, so that little traffic does not read as none. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '< 0.1';
  return (perSecond < 10 ? oneDigit : whole).format(perSecond);
}

export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

/** null: not known. */
export function milliseconds(value: number | null): Quantity {
  if (value === null) return { value: unknown, unit: '' };
  if (value >= 1000)
    return { value: String(Number((value / 1000).toFixed(value < 10_000 ? 2 : 1))), unit: 's' };
  if (value > 0 && value < 0.1) return { value: '< 0.1', unit: 'ms' };
  return { value: (value < 10 ? oneDigit : whole).format(value), unit: 'ms' };
}

export function formatMilliseconds(value: number | null): string {
  const { value: number, unit } = milliseconds(value);
  return unit === '' ? number : `${number} ${unit}`;
}

export function formatBytes(value: number): string {
  if (value < 1024) return `${whole.format(value)} B`;
  const power = value < 1024 ** 2 ? 1 : value < 1024 ** 3 ? 2 : 3;
  return `${oneDigit.format(value / 1024 ** power)} ${['', 'KiB', 'MiB', 'GiB'][power]}`;
}

/** `3 handshakes`, `1 handshake`; `plural` where it is not the word with an s. */
export function plural(count: number, word: string, words = `${word}s`): string {
  return `${formatCount(count)} ${count === 1 ? word : words}`;
}

/** The length of a time in its two largest units that matter: `45 s`, `12 min`, `3 h 5 min`, `12 d`. */
export function formatSpan(ms: number): string {
  const rest = Math.max(0, ms);
  if (rest < minute) return `${Math.floor(rest / second)} s`;
  if (rest < hour) return `${Math.floor(rest / minute)} min`;
  if (rest < day) {
    const minutes = Math.floor((rest % hour) / minute);
    return `${Math.floor(rest / hour)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  return `${formatCount(Math.floor(rest / day))} d`;
}

/** `just now`, `12 s ago`, `in 3 h`. */
export function formatRelative(time: number, now: number): string {
  const past = now - time;
  if (Math.abs(past) < 2 * second) return 'just now';
  return past > 0 ? `${formatSpan(past)} ago` : `in ${formatSpan(-past)}`;
}

/** `2026-11-29 05:12:03 UTC`. */
export function formatExact(time: number): string {
  return `${isoOf(time).slice(0, 19).replace('T', ' ')} UTC`;
}

/** `05:12:03` on the day of `now`, otherwise the date too. */
export function formatClock(time: number, now: number): string {
  const iso = isoOf(time);
  const clock = iso.slice(11, 19);
  return iso.slice(0, 10) === isoOf(now).slice(0, 10) ? clock : `${iso.slice(0, 10)} ${clock.slice(0, 5)}`;
}

/** `2026-11-29`. */
export function formatDate(time: number): string {
  return isoOf(time).slice(0, 10);
}

/** `12 days left`, `5 h left`, `expired 3 d ago`. */
export function formatDaysLeft(end: number, now: number): string {
  const left = end - now;
  if (left < 0) return `expired ${formatSpan(-left)} ago`;
  return left < 2 * day ? `${formatSpan(left)} left` : `${formatCount(Math.floor(left / day))} days left`;
}

/** A time far outside of the calendar does not throw. */
function isoOf(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '????-??-??T??:??:??' : date.toISOString();
}
