import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDuration, parseSize } from '../../../src/config/schema/units.ts';

test.each([
  ['0s', 0],
  ['1ms', 1],
  ['2s', 2_000],
  ['5m', 300_000],
  ['6h', 21_600_000],
  ['2147483647ms', 2_147_483_647],
])('reads the duration %s as %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '2',
  '2 s',
  ' 2s',
  '2s ',
  '2s\n',
  '-1s',
  '+1s',
  '1.5s',
  '1e3s',
  '02s',
  '2S',
  '2d',
  's',
  '2147483648ms',
  '597h',
])('refuses %j as a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  ['0B', 0],
  ['100B', 100],
  ['16KiB', 16_384],
  ['1MiB', 1_048_576],
])('reads the size %s as %i bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', '16', '16K', '16KB', '16kib', '16 KiB', '1GiB', '-1B', '1.5MiB', '016B', 'KiB'])(
  'refuses %j as a size',
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);

test('returns for any text a whole number that a timer can keep, or undefined', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,10}(ms|s|m|h|B|KiB|MiB)$/)), (text) => {
      const duration = parseDuration(text) ?? 0;
      expect(Number.isSafeInteger(duration) && duration >= 0 && duration < 2 ** 31).toBe(true);
      expect(Number.isSafeInteger(parseSize(text) ?? 0)).toBe(true);
    }),
  );
});
