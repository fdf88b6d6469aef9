import { expect, it } from 'vitest';
import { LoopDelay } from '../src/loop-delay.ts';

it('tells what all work has waited for in half a second, and nothing of a single pause', () => {
  const delay = new LoopDelay();
  delay.close();
  let now = performance.now();
  /** A look that comes so much later than it should. */
  const late = (milliseconds: number) => {
    now += 50 + milliseconds;
    delay.look(now);
  };
  delay.look(now);
  for (let count = 0; count < 10; count++) late(0);
  expect(delay.current).toBe(0);
  late(900);
  expect(delay.current).toBe(0);
  for (let count = 0; count < 10; count++) late(300);
  expect(delay.current).toBeCloseTo(300);
  late(0);
  expect(delay.current).toBe(0);
});
