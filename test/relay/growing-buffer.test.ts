import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrowingBuffer } from '../../src/relay/growing-buffer.ts';

const text = Buffer.from('abcdefgh');

describe('the memory of a body', () => {
  it.each([
    ['begins with 1 KiB if its length is not known', { size: 3 }, 1024],
    ['begins with its length if that is less', { size: 3, expected: 8 }, 8],
    ['is twice what is needed', { size: 600 }, 1200],
    ['ends at its length', { size: 600, expected: 700 }, 700],
    ['ends at a limit', { size: 600, limit: 900 }, 900],
    ['is what the bytes need, also beyond a limit', { size: 600, limit: 500 }, 600],
    ['is what the bytes need, also if no more may be taken', { size: 600, limit: -1 }, 600],
  ])('%s', (_, { size, expected, limit }: { size: number; expected?: number; limit?: number }, capacity) => {
    expect(new GrowingBuffer(expected).capacityWith(size, limit)).toBe(capacity);
  });

  it('does not grow while the next bytes fit', () => {
    const buffer = new GrowingBuffer();
    buffer.add(text, 0, 3);
    expect(buffer.capacityWith(1021, 0)).toBe(1024);
    expect(buffer.capacityWith(1022)).toBe(2050);
  });
});

it('holds the bytes in order, in the memory that it states, and releases both', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 });
  fc.assert(
    fc.property(parts, fc.nat(8000), (added, limit) => {
      const buffer = new GrowingBuffer();
      for (const part of added) {
        const bytes = Buffer.from(part);
        const capacity = buffer.capacityWith(bytes.length, limit);
        buffer.add(bytes, 0, bytes.length, capacity);
        expect(buffer.capacity).toBe(capacity);
        expect(buffer.bytes.buffer.byteLength).toBe(capacity);
        expect(capacity).toBeLessThanOrEqual(Math.max(limit, buffer.size, 0));
      }
      expect(buffer.take().equals(Buffer.concat(added))).toBe(true);
      expect([buffer.size, buffer.capacity]).toEqual([0, 0]);
    }),
  );
});
