import { expect, it } from 'vitest';
import { LoopDelay } from '../../src/gateway/loop-delay.ts';

function measured() {
  let longTurns = 0;
  const delay = new LoopDelay({ onLongIteration: () => longTurns++ });
  delay.close();
  let now = performance.now();
  delay.sample(now);
  return {
    delay,
    longTurns: () => longTurns,
    /** So many looks that come so much later than they should. */
    late(milliseconds: number, count = 1) {
      for (; count > 0; count--) {
        now += 20 + milliseconds;
        delay.sample(now);
      }
    },
  };
}

it('tells what every message has waited for half a second, two turns of it, and nothing of a single pause', () => {
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

it('needs three turns, however long each of them takes', () => {
  const { delay, late } = measured();
  late(0, 30);
  late(1000, 2);
  expect(delay.current).toBe(0);
  late(1000);
  expect(delay.current).toBeCloseTo(2000);
});

it('reports a long turn as soon as it has ended', () => {
  const { late, longTurns } = measured();
  late(20, 5);
  expect(longTurns()).toBe(0);
  late(80);
  expect(longTurns()).toBe(1);
});
