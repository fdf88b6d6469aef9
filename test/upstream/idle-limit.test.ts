import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdleLimit } from '../../src/upstream/idle-limit.ts';

function after(...ages: number[]): IdleLimit {
  const limit = new IdleLimit(60_000);
  for (const age of ages) limit.closedAfter(age);
  return limit;
}

describe('the idle limit', () => {
  it('is the configured one until the host closes a connection sooner', () => {
    const limit = new IdleLimit(4000);
    expect([limit.current, limit.shortened]).toEqual([4000, false]);
    expect(limit.closedAfter(5000)).toBe(false);
    expect([limit.current, limit.shortened]).toEqual([4000, false]);
  });

  it.each([
    ['a second less than the host’s', 5000, 4000],
    ['a second less than a long one of the host', 30_000, 29_000],
    ['half of the host’s where that is short', 500, 250],
    ['never less than a tenth of a second', 5, 100],
  ])('is then %s', (_, age, current) => {
    const limit = after(age);
    expect([limit.current, limit.shortened]).toEqual([current, true]);
  });

  it('follows the shortest idle time after which the host closed a connection', () => {
    expect(after(9000, 5000, 7000).current).toBe(4000);
    expect(after(5000).closedAfter(5200)).toBe(false);
  });

  it('is at most a second less than the time that the host announces, and zero or less for a short time', () => {
    const limit = after(9000);
    expect([-1, 5, 9, 60, 1, 0].map((announced) => limit.limitFor(announced))).toEqual([
      8000, 4000, 8000, 8000, 0, -1000,
    ]);
  });

  it('rises by a quarter after the host has kept a connection open for two and a half times as long', () => {
    const limit = after(5000);
    expect(limit.keptFor(9999)).toBe(false);
    expect(limit.keptFor(10_000)).toBe(true);
    expect([limit.current, limit.proof]).toEqual([5000, 12_500]);
  });

  it('rises to the configured limit at most', () => {
    const limit = after(5000);
    let steps = 0;
    while (limit.keptFor(limit.proof)) steps++;
    expect([limit.current, limit.shortened]).toEqual([60_000, false]);
    expect(steps).toBe(13);
  });

  it('stays below the host’s limit if that does not change', () => {
    const times = fc.integer({ min: 250, max: 59_000 });
    fc.assert(
      fc.property(times, fc.array(fc.double({ min: 1, max: 4, noNaN: true })), (closes, looks) => {
        const limit = after(closes);
        for (const look of looks) {
          const age = limit.proof * look;
          if (age < closes) limit.keptFor(age);
          else limit.closedAfter(closes);
          expect(limit.current).toBeLessThan(closes);
        }
      }),
    );
  });
});
