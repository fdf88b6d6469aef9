/** Reads the time at which a body was signed, and compares it with the clock. Each form has a fixed length, so that the signed text has one reading. */

const seconds = /^\d{10}$/;
const milliseconds = /^\d{13}$/;
/** RFC 3339, in UTC, with or without milliseconds. */
const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;

/** Milliseconds since the epoch, from seconds, milliseconds or a date; null: none of them. */
export function parseTimestamp(text: string): number | null {
  if (seconds.test(text)) return Number(text) * 1000;
  if (milliseconds.test(text)) return Number(text);
  if (!date.test(text)) return null;
  const time = Date.parse(text);
  // Date.parse reads February 30 as March 2.
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 19) === text.slice(0, 19) ? time : null;
}

/** `at`: milliseconds since the epoch. */
export interface Timestamp {
  readonly text: string;
  readonly at: number;
}

/** null: it is no time, or further from `now` than `tolerance`, milliseconds. */
export function checkTimestamp(
  text: string,
  { tolerance, now }: { readonly tolerance: number; readonly now: number },
): Timestamp | null {
  const at = parseTimestamp(text);
  return at !== null && Math.abs(now - at) <= tolerance ? { text, at } : null;
}
