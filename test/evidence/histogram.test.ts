import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from '../../src/evidence/histogram.ts';

/** Nearest rank. */
function exactPercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** From a microsecond to an hour, as many small ones as large ones. */
const duration = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 31 }))
  .map(([part, exponent]) => (2 ** exponent * (1 + part)) / 1000);
const share = fc.constantFrom(0.01, 0.5, 0.9, 0.99, 0.999, 1);

it('finds every percentile to within 1/128 and a microsecond', () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), share, (values, part) => {
      const exact = exactPercentile(values, part);
      const found = histogramOf(values).percentile(part) as number;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact / 128 + 0.001);
    }),
  );
});

it('keeps count, least, largest and mean exactly', () => {
  const histogram = histogramOf([0.25, 3, 1000.125]);
  expect(histogram).toMatchObject({ count: 3, min: 0.25, max: 1000.125 });
  expect(histogram.mean).toBeCloseTo(1003.375 / 3);
  expect(new Histogram()).toMatchObject({ count: 0, min: 0, max: 0, mean: 0 });
});

it('counts attempts without an answer as longer than every recorded value', () => {
  const histogram = histogramOf(Array.from({ length: 98 }, () => 5));
  expect(histogram.percentile(0.98, 2)).toBeCloseTo(5);
  expect(histogram.percentile(0.99, 2)).toBeNull();
  expect(new Histogram().percentile(0.5)).toBeNull();
});

it('takes a duration below zero as zero, and one beyond its range as the largest', () => {
  const histogram = histogramOf([-1, 1e12]);
  expect(histogram.percentile(0.5)).toBe(0);
  expect(histogram.percentile(1)).toBeCloseTo(2 ** 32 / 1000, -5);
  expect(histogram.max).toBe(1e12);
});

it('counts the values between bounds, and those above the last', () => {
  expect(histogramOf([0.5, 1.5, 1.6, 7, 900]).between([0, 1, 2, 5])).toEqual([1, 2, 0, 2]);
});
