import { expect, it } from 'vitest';
import type { Timers } from '../../src/fetch/pause.ts';
import { Repetition } from '../../src/revocation/periodic-task.ts';

/** Turns that end when the test says so. */
function openRepetition() {
  const timers: { run: () => void; milliseconds: number }[] = [];
  const turns: { signal: AbortSignal; end: () => void }[] = [];
  const manual: Timers = {
    setTimeout: (run, milliseconds) => {
      const timer = { run, milliseconds };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => void timers.splice(timers.indexOf(timer as never), 1),
  };
  const repetition = new Repetition({
    timers: manual,
    pause: () => 2 ** 40,
    turn: (signal) => new Promise((resolve) => turns.push({ signal, end: resolve })),
  });
  return { repetition, timers, turns };
}

it('takes one turn at a time, whoever asks for it, and none is scheduled meanwhile', async () => {
  const { repetition, timers, turns } = openRepetition();
  repetition.schedule();
  const asked = [repetition.now(), repetition.now()];
  repetition.schedule();
  expect([turns.length, timers.length]).toEqual([1, 0]);
  turns[0]?.end();
  await Promise.all(asked);
  expect([turns.length, timers.length]).toEqual([1, 1]);
});

it('has one timer, however often it is scheduled, of no more than a timer can hold', () => {
  const { repetition, timers, turns } = openRepetition();
  for (let times = 0; times < 3; times++) repetition.schedule();
  expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([2 ** 31 - 1]);
  timers[0]?.run();
  expect(turns).toHaveLength(1);
});

it('ends with the turn that is being taken, and takes no other', async () => {
  const { repetition, timers, turns } = openRepetition();
  repetition.now();
  const ended = repetition.end();
  expect(turns[0]?.signal.aborted).toBe(true);
  turns[0]?.end();
  await ended;
  await repetition.now();
  repetition.schedule();
  expect([turns.length, timers.length]).toEqual([1, 0]);
});

it('goes on after a turn that was interrupted', async () => {
  const { repetition, timers, turns } = openRepetition();
  repetition.now();
  const interrupted = repetition.interrupt();
  turns[0]?.end();
  await interrupted;
  expect([turns[0]?.signal.aborted, timers.length]).toEqual([true, 1]);
});
