import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pause } from '../../src/fetch/backoff.ts';

it('is at most one refresh, at least half of the backoff, and never longer than the maximum delay of a timer', () => {
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (failures, refresh, random) => {
        const milliseconds = pause({ failures, refresh, random });
        expect(milliseconds).toBeLessThanOrEqual(Math.min(refresh, 2 ** 31 - 1));
        expect(milliseconds).toBeGreaterThanOrEqual(
          Math.min(refresh, failures === 0 ? 2 ** 31 - 1 : 1000) / 2,
        );
      },
    ),
  );
});
