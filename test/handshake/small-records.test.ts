import { expect, it } from 'vitest';
import { SmallRecordLimiter } from '../../src/handshake/small-records.ts';

/** Checks four times a second, after `records` records with `data` bytes each; returns the number of the check that fails. */
function checksUntilExceeded(
  records: number,
  data: number,
  { authorized = true, smallRecords = 2000 } = {},
): number {
  const transfer = { ciphertext: 3000, plaintext: 0 };
  const limiter = new SmallRecordLimiter(transfer, 0);
  for (let check = 1; check <= 400; check++) {
    transfer.ciphertext += records * (data + 22);
    transfer.plaintext += records * data;
    if (limiter.exceeds(transfer, check * 250, { authorized, smallRecords })) return check;
  }
  return Number.POSITIVE_INFINITY;
}

it('allows limits.smallRecords records without data all the time, and more for some seconds', () => {
  expect(checksUntilExceeded(500, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(checksUntilExceeded(1000, 0)).toBe(13);
  expect(checksUntilExceeded(13_000, 0)).toBe(1);
  expect(checksUntilExceeded(1000, 0, { smallRecords: 4000 })).toBe(Number.POSITIVE_INFINITY);
});

it('allows a twentieth of that to a client that is not authorized', () => {
  expect(checksUntilExceeded(25, 0, { authorized: false })).toBe(Number.POSITIVE_INFINITY);
  expect(checksUntilExceeded(1600, 0, { authorized: false })).toBe(1);
});

it('allows any number of records with data', () => {
  expect(checksUntilExceeded(1_000_000, 88)).toBe(Number.POSITIVE_INFINITY);
  expect(checksUntilExceeded(1_000_000, 16_384, { authorized: false })).toBe(Number.POSITIVE_INFINITY);
  expect(checksUntilExceeded(100_000, 1)).toBe(1);
});

it('does not count bytes whose plaintext is only counted later', () => {
  const limiter = new SmallRecordLimiter({ ciphertext: 0, plaintext: 0 }, 0);
  const limits = { authorized: false, smallRecords: 2000 };
  expect(limiter.exceeds({ ciphertext: 16_406, plaintext: 0 }, 1, limits)).toBe(false);
  expect(limiter.exceeds({ ciphertext: 32_812, plaintext: 32_768 }, 2, limits)).toBe(false);
});
