import { expect, it } from 'vitest';
import { ClockWatch } from '../../src/control/clock-watch.ts';
import { testTimers } from '../support/timers.ts';

function openWatch() {
  const times = { wall: 1_000_000, steady: 0 };
  const timers = testTimers();
  const jumps: number[] = [];
  let looks = 0;
  const watch = new ClockWatch({
    onTick: () => {
      looks++;
    },
    onJump: (ms) => jumps.push(ms),
    clock: () => times.wall,
    steady: () => times.steady,
    timers,
  });
  /** So much time passes for each clock until the watch looks. */
  const pass = (wall: number, steady = wall) => {
    times.wall += wall;
    times.steady += steady;
    timers.ring(1000);
  };
  return { watch, timers, jumps, pass, looks: () => looks };
}

it('ticks every second, and reports no jump while both clocks advance alike', () => {
  const { jumps, pass, looks } = openWatch();
  // A thread that was busy is late by both clocks; a clock that is being corrected is a little fast or slow.
  for (const [wall, steady] of [[1000], [9000], [1400, 1000], [600, 1000]] as [number, number?][])
    pass(wall, steady);
  expect([looks(), jumps]).toEqual([4, []]);
});

it('reports a clock set forward or back, and a sleep, once each', () => {
  const { jumps, pass } = openWatch();
  const hours = 8 * 3_600_000;
  pass(hours + 1000, 1000);
  pass(1000);
  pass(1000 - hours, 1000);
  pass(1000);
  // A machine that slept for three seconds and more: its steady clock stood still.
  pass(4000, 1000);
  expect(jumps).toEqual([hours, -hours, 3000]);
});

it('does not tick after it is disposed', () => {
  const { watch, timers } = openWatch();
  watch[Symbol.dispose]();
  expect(timers.pending).toEqual([]);
});
