import { expect, it } from 'vitest';
import type { Timers } from '../../src/fetch/pause.ts';
import { PeriodicTask } from '../../src/revocation/periodic-task.ts';

/** Runs that end when the test says so. */
function openTask() {
  const timers: { run: () => void; milliseconds: number }[] = [];
  const runs: { signal: AbortSignal; end: () => void }[] = [];
  const manual: Timers = {
    setTimeout: (run, milliseconds) => {
      const timer = { run, milliseconds };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (timer) => void timers.splice(timers.indexOf(timer as never), 1),
  };
  const task = new PeriodicTask({
    timers: manual,
    delay: () => 2 ** 40,
    run: (signal) => new Promise((resolve) => runs.push({ signal, end: resolve })),
  });
  return { task, timers, runs };
}

it('runs once at a time, however often it is called, and schedules nothing meanwhile', async () => {
  const { task, timers, runs } = openTask();
  task.schedule();
  const asked = [task.runNow(), task.runNow()];
  task.schedule();
  expect([runs.length, timers.length]).toEqual([1, 0]);
  runs[0]?.end();
  await Promise.all(asked);
  expect([runs.length, timers.length]).toEqual([1, 1]);
});

it('has one timer, however often it is scheduled, within the limit of Node timers', () => {
  const { task, timers, runs } = openTask();
  for (let times = 0; times < 3; times++) task.schedule();
  expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([2 ** 31 - 1]);
  timers[0]?.run();
  expect(runs).toHaveLength(1);
});

it('aborts the run in progress when it ends, and starts no other', async () => {
  const { task, timers, runs } = openTask();
  task.runNow();
  const ended = task.end();
  expect(runs[0]?.signal.aborted).toBe(true);
  runs[0]?.end();
  await ended;
  await task.runNow();
  task.schedule();
  expect([runs.length, timers.length]).toEqual([1, 0]);
});

it('continues after a run that was interrupted', async () => {
  const { task, timers, runs } = openTask();
  task.runNow();
  const interrupted = task.interrupt();
  runs[0]?.end();
  await interrupted;
  expect([runs[0]?.signal.aborted, timers.length]).toEqual([true, 1]);
});
