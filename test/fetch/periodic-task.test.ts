import { expect, it } from 'vitest';
import { PeriodicTask } from '../../src/fetch/periodic-task.ts';
import type { Timers } from '../../src/fetch/timers.ts';

/** A task whose runs end when the test ends them. */
function openTask(signal?: AbortSignal) {
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
    run: (aborted) => new Promise((resolve) => runs.push({ signal: aborted, end: resolve })),
    ...(signal === undefined ? {} : { signal }),
  });
  return { task, timers, runs };
}

it('runs once at a time: calls during a run join it, and no timer is set', async () => {
  const { task, timers, runs } = openTask();
  task.schedule();
  const calls = [task.runNow(), task.runNow()];
  task.schedule();
  expect([runs.length, timers.length, task.isRunning]).toEqual([1, 0, true]);
  runs[0]?.end();
  await Promise.all(calls);
  expect([runs.length, timers.length, task.isRunning]).toEqual([1, 1, false]);
});

it('has one timer however often it is scheduled, with a delay that Node accepts', () => {
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

it('is scheduled again after a run that was interrupted', async () => {
  const { task, timers, runs } = openTask();
  task.runNow();
  const interrupted = task.interrupt();
  runs[0]?.end();
  await interrupted;
  expect([runs[0]?.signal.aborted, timers.length]).toEqual([true, 1]);
});

it('starts no run and sets no timer once its signal is aborted', async () => {
  const stop = new AbortController();
  const { task, timers, runs } = openTask(stop.signal);
  const running = task.runNow();
  stop.abort();
  runs[0]?.end();
  await running;
  await task.runNow();
  task.schedule();
  expect([runs.length, timers.length]).toEqual([1, 0]);
});
