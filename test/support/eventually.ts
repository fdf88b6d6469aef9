/** Waits for a state that no event announces. */
import { scheduler } from 'node:timers/promises';

/** Milliseconds between two reads. */
const INTERVAL = 20;
/** Milliseconds after which the wait fails with the value that was read last. */
const LIMIT = 150_000;

/** Calls `read` until `fits` accepts its value, and returns that value. Throws after 150 s, with the last value in the message. */
export async function eventually<T>(
  read: () => T | Promise<T>,
  fits: (value: T) => boolean = Boolean,
  { interval = INTERVAL } = {},
): Promise<T> {
  const end = performance.now() + LIMIT;
  for (;;) {
    const value = await read();
    if (fits(value)) return value;
    if (performance.now() > end) throw new Error(`still not as expected after ${LIMIT} ms: ${show(value)}`);
    await scheduler.wait(interval);
  }
}

function show(value: unknown): string {
  return (JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value) ?? `${value}`).slice(
    0,
    2000,
  );
}
