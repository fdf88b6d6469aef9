import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from '../../src/telemetry/clock.ts';

it('formats times as Date does, in any order of times', () => {
  const instant = fc.oneof(fc.nat(5_000), fc.integer({ min: 1_700_000_000_000, max: 1_700_000_003_000 }));
  fc.assert(
    fc.property(fc.array(instant), (instants) => {
      for (const milliseconds of instants) {
        expect(isoTime(milliseconds)).toBe(new Date(milliseconds).toISOString());
      }
    }),
  );
});
