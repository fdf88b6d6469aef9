/** The sampling of traces by the last 56 bits of the trace id. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSampled, thresholdOf } from '../../src/tracing/sampling.ts';

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const ratio = fc.double({ min: 0, max: 1, noNaN: true });

describe('a threshold', () => {
  it.each([
    [1, '00000000000000'],
    [0.5, '80000000000000'],
    [0.25, 'c0000000000000'],
    [0.0625, 'f0000000000000'],
    [2 ** -53, 'fffffffffffff8'],
    [0, null],
    [Number.MIN_VALUE, null],
  ])('of the ratio %d is %s', (ratio, threshold) => {
    expect(thresholdOf(ratio)).toBe(threshold);
  });
});

describe('a trace is sampled', () => {
  const id = (randomness: string) => `ffffffffffffffffff${randomness}`;

  it.each([
    ['at its threshold', '80000000000000', 0.5, true],
    ['above it', 'ffffffffffffff', 0.5, true],
    ['not below it', '7fffffffffffff', 0.5, false],
    ['always with 1', '00000000000000', 1, true],
    ['never with 0', 'ffffffffffffff', 0, false],
  ])('%s', (_which, randomness, ratio, expected) => {
    expect(isSampled(id(randomness), thresholdOf(ratio))).toBe(expected);
  });

  it('by its last 56 bits alone, and also with any higher ratio', () => {
    fc.assert(
      fc.property(hex(18), hex(18), hex(14), ratio, ratio, (one, other, randomness, a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map(thresholdOf);
        const sampled = isSampled(one + randomness, low ?? null);
        expect(isSampled(other + randomness, low ?? null)).toBe(sampled);
        if (sampled) expect(isSampled(one + randomness, high ?? null)).toBe(true);
      }),
    );
  });

  it('in the order of the numbers', () => {
    fc.assert(
      fc.property(hex(32), ratio, (traceId, ratio) => {
        const threshold = thresholdOf(ratio);
        fc.pre(threshold !== null);
        const randomness = BigInt(`0x${traceId}`) % 2n ** 56n;
        expect(isSampled(traceId, threshold)).toBe(randomness >= BigInt(`0x${threshold}`));
      }),
    );
  });
});
