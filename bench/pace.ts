/** Messages at a fixed rate, however long the answers take: each counts from when it was due, so none hides the others' delay. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Place } from './place.ts';

export interface Pace {
  /** Messages a second. */
  readonly rate: number;
  readonly milliseconds: number;
}

/** What a timer may be late by; for the rest of the time the event loop is turned over. */
const timerError = 2;

/** Milliseconds from when each message was due to its whole answer, in the order of the answers. */
export async function pace(
  places: readonly Pick<Place, 'send' | 'rest'>[],
  { rate, milliseconds }: Pace,
): Promise<number[]> {
  const times: number[] = [];
  const free = [...places];
  /** Due while every place was busy: it goes on counting. */
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
