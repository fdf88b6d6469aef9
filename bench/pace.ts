/** Messages at a fixed rate. Each is timed from when it was due, so that a slow response does not hide the delay of the next. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Place } from './place.ts';

export interface Pace {
  /** Messages a second. */
  readonly rate: number;
  readonly milliseconds: number;
}

/** How late a timer may be, ms; for the rest of the time the event loop spins. */
const timerError = 2;

/** Milliseconds from when each message was due to its whole response, in the order of the responses. */
export async function pace(
  places: readonly Pick<Place, 'send' | 'rest'>[],
  { rate, milliseconds }: Pace,
): Promise<number[]> {
  const times: number[] = [];
  const free = [...places];
  /** Due while every place was busy: timed from when they were due. */
  const late: number[] = [];
  const sendDue = async (due: number): Promise<void> => {
    const place = free.pop();
    if (place === undefined) {
      late.push(due);
      return;
    }
    await place.send();
    times.push(performance.now() - due);
    await place.rest();
    free.push(place);
    const next = late.shift();
    if (next !== undefined) await sendDue(next);
  };
  const count = Math.round((rate * milliseconds) / 1_000);
  const began = performance.now();
  const underWay: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = began + (index * 1_000) / rate;
    const wait = due - performance.now() - timerError;
    if (wait > 1) await sleep(wait);
    while (performance.now() < due) await turn();
    underWay.push(sendDue(due));
  }
  await Promise.all(underWay);
  return times;
}
