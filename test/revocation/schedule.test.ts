import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crlDelay, ocspDelay, type ScheduleInput } from '../../src/revocation/schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const turn: ScheduleInput = { failures: 0, refresh: hour, end: null, now: 0, random: 0 };

it.each<[string, Partial<ScheduleInput>, number, number]>([
  ['the refresh interval if nothing expires', {}, hour, hour],
  ['the refresh interval if the expiry is far', { end: 100 * hour }, hour, hour],
  ['95 % or half of the remaining validity', { end: 20 * minute }, 19 * minute, 10 * minute],
  [
    '80 % or 45 % of it at the other end of the jitter',
    { end: 20 * minute, random: 1 },
    16 * minute,
    9 * minute,
  ],
  ['at least 10 s', { end: 5000 }, 10_000, 10_000],
  ['10 s after the expiry', { end: -hour }, 10_000, 10_000],
  ['one second after a failure', { failures: 1, end: 20 * minute }, 1000, 1000],
  ['twice that after the next failure', { failures: 2 }, 2000, 2000],
  ['the refresh interval after many failures', { failures: 100 }, hour, hour],
])('the delay is %s', (_, changes, crl, ocsp) => {
  expect(crlDelay({ ...turn, ...changes })).toBeCloseTo(crl);
  expect(ocspDelay({ ...turn, ...changes })).toBeCloseTo(ocsp);
});

describe('a delay', () => {
  it('is never longer than the refresh interval, and never zero', () => {
    fc.assert(
      fc.property(
        fc.record({
          failures: fc.nat(50),
          refresh: fc.integer({ min: 1000, max: 2 ** 40 }),
          end: fc.option(fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
          now: fc.integer({ min: 0, max: 2 ** 42 }),
          random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        }),
        (each) => {
          for (const pause of [crlDelay(each), ocspDelay(each)]) {
            expect(pause).toBeLessThanOrEqual(each.refresh);
            expect(pause).toBeGreaterThanOrEqual(500);
          }
        },
      ),
    );
  });
});
