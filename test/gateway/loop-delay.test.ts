import { expect, it } from 'vitest';
import { LoopDelay } from '../../src/gateway/loop-delay.ts';

function measured() {
  let longIterations = 0;
  const delay = new LoopDelay({ onLongIteration: () => longIterations++ });
  delay.close();
  let now = performance.now();
  delay.sample(now);
  return {
    delay,
    longIterations: () => longIterations,
    /** Takes `count` samples, each late by `milliseconds`. */
    late(milliseconds: number, count = 1) {
      for (; count > 0; count--) {
        now += 20 + milliseconds;
        delay.sample(now);
      }
    },
  };
}

it('is the least delay of half a second, for two iterations, and ignores a single pause', () => {
  const { delay, late } = measured();
  late(0, 30);
  expect(delay.current).toBe(0);
  late(900);
  expect(delay.current).toBe(0);
  late(0);
  late(100, 5);
  expect(delay.current).toBe(0);
  late(150);
  expect(delay.current).toBeCloseTo(200);
  late(0);
  expect(delay.current).toBe(0);
});

it('needs three late samples, however late each one is', () => {
  const { delay, late } = measured();
  late(0, 30);
  late(1000, 2);
  expect(delay.current).toBe(0);
  late(1000);
  expect(delay.current).toBeCloseTo(2000);
});

it('reports a long iteration as soon as it has ended', () => {
  const { late, longIterations } = measured();
  late(20, 5);
  expect(longIterations()).toBe(0);
  late(80);
  expect(longIterations()).toBe(1);
});
