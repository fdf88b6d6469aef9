import { expect, it } from 'vitest';
import { Overhead } from '../../src/handshake/small-records.ts';

/** Looks every quarter of a second; so many records in each, of so many bytes of data. Looks until it is too much. */
function looksUntil(records: number, data: number, { admitted = true, smallRecords = 2000 } = {}): number {
  const transfer = { ciphertext: 3000, plaintext: 0 };
  const overhead = new Overhead(transfer, 0);
  for (let look = 1; look <= 400; look++) {
    transfer.ciphertext += records * (data + 22);
    transfer.plaintext += records * data;
    if (overhead.exceeds(transfer, look * 250, { admitted, smallRecords })) return look;
  }
  return Number.POSITIVE_INFINITY;
}

it('allows limits.smallRecords without data for any time, and more for a while', () => {
  expect(looksUntil(500, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(looksUntil(1000, 0)).toBe(21);
  expect(looksUntil(13_000, 0)).toBe(1);
  expect(looksUntil(1000, 0, { smallRecords: 4000 })).toBe(Number.POSITIVE_INFINITY);
});

it('allows a twentieth of it where no client was let in', () => {
  expect(looksUntil(25, 0, { admitted: false })).toBe(Number.POSITIVE_INFINITY);
  expect(looksUntil(1600, 0, { admitted: false })).toBe(1);
});

it('lets records with data through, however many', () => {
  expect(looksUntil(1_000_000, 88)).toBe(Number.POSITIVE_INFINITY);
  expect(looksUntil(1_000_000, 16_384, { admitted: false })).toBe(Number.POSITIVE_INFINITY);
  expect(looksUntil(100_000, 1)).toBe(1);
});

it('never counts data that comes later than its bytes against a connection', () => {
  const overhead = new Overhead({ ciphertext: 0, plaintext: 0 }, 0);
  const limits = { admitted: false, smallRecords: 2000 };
  expect(overhead.exceeds({ ciphertext: 16_406, plaintext: 0 }, 1, limits)).toBe(false);
  expect(overhead.exceeds({ ciphertext: 32_812, plaintext: 32_768 }, 2, limits)).toBe(false);
});
