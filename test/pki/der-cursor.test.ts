import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DerCursor, DerError, derElement, formatOid, tags } from '../../src/pki/der-cursor.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const cursorOn = (bytes: Uint8Array) => ({ cursor: new DerCursor(bytes), end: bytes.length });

describe('the cursor', () => {
  it('moves into elements and past them', () => {
    const bytes = derElement(
      tags.sequence,
      derElement(tags.integer, Buffer.of(5)),
      derElement(tags.oid, hex('2a03')),
    );
    const { cursor, end } = cursorOn(bytes);
    cursor.open(end, tags.sequence);
    cursor.read(end, tags.integer);
    expect([...cursor.contents()]).toEqual([5]);
    expect(cursor.peek(end)).toBe(tags.oid);
    expect([...cursor.element(end)]).toEqual([0x06, 0x02, 0x2a, 0x03]);
    expect(cursor.peek(end)).toBe(-1);
    cursor.close(end);
  });

  it('reads what derElement writes, whatever its length', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const { cursor, end } = cursorOn(derElement(0x04, Buffer.alloc(length)));
      cursor.read(end, 0x04);
      expect(cursor.end - cursor.start).toBe(length);
      cursor.close(end);
    }
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '04'],
    ['contents that are cut off', '04 02 01'],
    ['a length that is cut off', '04 82 01'],
    ['an indefinite length', '04 80 00 00'],
    ['a length of five octets', '04 85 00 00 00 00 01 00'],
    ['a tag of several octets', '1f 22 00'],
  ])('refuses %s', (_, bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(() => cursor.read(end)).toThrow(DerError);
  });

  it.each([
    ['a short length in a long form', '04 81 01 00'],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`],
  ])('accepts %s, as BER and OpenSSL do', (_, bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    cursor.read(end, 0x04);
    cursor.close(end);
  });

  it('refuses an element after the last one', () => {
    const { cursor, end } = cursorOn(hex('04 01 00 05 00'));
    expect(() => cursor.openLast(end, 0x04)).toThrow('bytes after an element, at byte 3');
  });

  it('refuses an element longer than its container, although more bytes follow', () => {
    const { cursor, end } = cursorOn(hex('30 03 04 02 01 02'));
    cursor.open(end, tags.sequence);
    expect(() => cursor.read(cursor.end)).toThrow('an element that ends after its container');
  });

  it('throws only DerError, and never moves past its limit', () => {
    const steps: ((cursor: DerCursor, end: number) => unknown)[] = [
      (cursor, end) => cursor.read(end),
      (cursor, end) => cursor.open(end),
      (cursor, end) => cursor.readInteger(end),
      (cursor, end) => cursor.readTime(end),
      (cursor, end) => cursor.readAnyTime(end),
      (cursor, end) => cursor.openLast(end),
      (cursor, end) => cursor.readBoolean(end),
      (cursor, end) => cursor.readNamedBits(end),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.constantFrom(...steps)), (bytes, taken) => {
        const { cursor, end } = cursorOn(bytes);
        try {
          for (const step of taken) step(cursor, end);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
        expect(cursor.at).toBeLessThanOrEqual(end);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('an INTEGER', () => {
  it.each(['02 01 00', '02 01 7f', '02 02 00 80', '02 01 80', '02 02 ff 7f'])('is read from %s', (bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    cursor.readInteger(end);
    cursor.close(end);
  });

  it.each(['02 00', '02 02 00 7f', '02 02 ff 80', '0a 01 00'])('is refused from %s', (bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(() => cursor.readInteger(end)).toThrow(DerError);
  });
});

describe('a time', () => {
  const read = (tag: number, text: string) => {
    const { cursor, end } = cursorOn(derElement(tag, Buffer.from(text)));
    return cursor.readTime(end);
  };

  it.each([
    [tags.utcTime, '260115120000Z', Date.UTC(2026, 0, 15, 12)],
    [tags.utcTime, '491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
    [tags.utcTime, '500101000000Z', Date.UTC(1950, 0, 1)],
    [tags.utcTime, '240229000000Z', Date.UTC(2024, 1, 29)],
    [tags.generalizedTime, '20500101000000Z', Date.UTC(2050, 0, 1)],
    [tags.generalizedTime, '99991231235959Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
    [tags.generalizedTime, '00260115120000Z', Date.parse('0026-01-15T12:00:00Z')],
  ])('of tag %i is read from %s', (tag, text, expected) => {
    expect(read(tag, text)).toBe(expected);
  });

  it.each([
    [tags.utcTime, '2601151200Z'],
    [tags.utcTime, '260115120000+0100'],
    [tags.utcTime, '2601151200000'],
    [tags.utcTime, '20260115120000Z'],
    [tags.generalizedTime, '260115120000Z'],
    [tags.generalizedTime, '20260115120000.5Z'],
    [tags.utcTime, '261315120000Z'],
    [tags.utcTime, '260132120000Z'],
    [tags.utcTime, '250229120000Z'],
    [tags.generalizedTime, '21000229120000Z'],
    [tags.utcTime, '260631120000Z'],
    [tags.utcTime, '260100120000Z'],
    [tags.utcTime, '260115240000Z'],
    [tags.utcTime, '260115126000Z'],
    [tags.utcTime, '260115120060Z'],
    [tags.utcTime, '2601 5120000Z'],
    [tags.octetString, '260115120000Z'],
  ])('of tag %i is refused from %s', (tag, text) => {
    expect(() => read(tag, text)).toThrow('no valid time in UTC');
  });

  const readAny = (tag: number, text: string) => {
    const { cursor, end } = cursorOn(derElement(tag, Buffer.from(text)));
    return cursor.readAnyTime(end);
  };

  it.each([
    [tags.utcTime, '260115120000Z', '2026-01-15T12:00:00Z'],
    [tags.utcTime, '2601151200Z', '2026-01-15T12:00:00Z'],
    [tags.utcTime, '260115120000+0130', '2026-01-15T10:30:00Z'],
    [tags.utcTime, '2601151200-0000', '2026-01-15T12:00:00Z'],
    [tags.generalizedTime, '20260115120000.1234567Z', '2026-01-15T12:00:00Z'],
    [tags.generalizedTime, '20260115120000,5-0100', '2026-01-15T13:00:00Z'],
    [tags.generalizedTime, '2026011512Z', '2026-01-15T12:00:00Z'],
    [tags.generalizedTime, '00010101000000Z', '0001-01-01T00:00:00Z'],
  ])('in any form of tag %i is read from %s', (tag, text, expected) => {
    expect(readAny(tag, text)).toBe(Date.parse(expected));
  });

  it.each([
    [tags.utcTime, '260115120000'],
    [tags.utcTime, '260132120000Z'],
    [tags.utcTime, '260115120000+2400'],
    [tags.generalizedTime, '20260115120000.Z'],
    [tags.generalizedTime, '20260115120000Z '],
    [tags.octetString, '260115120000Z'],
    [tags.utcTime, ''],
    [tags.generalizedTime, `20260115120000.${'1'.repeat(1000)}Z`],
  ])('in any form of tag %i is refused from %s', (tag, text) => {
    expect(readAny(tag, text)).toBeNaN();
  });

  it('is the same as in Date', () => {
    const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(2049, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, (at) => {
        const iso = new Date(at * 1000).toISOString();
        expect(read(tags.utcTime, `${iso.slice(2, 19).replace(/\D/g, '')}Z`)).toBe(at * 1000);
      }),
    );
  });
});

describe('bits and flags', () => {
  it.each([
    ['03 02 07 80', 0b1],
    ['03 02 01 7e', 0b0111_1110],
    ['03 03 07 00 80', 0b1_0000_0000],
    ['03 01 00', 0],
  ])('reads the named bits of %s', (bytes, mask) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(cursor.readNamedBits(end)).toBe(mask);
  });

  it.each(['03 00', '03 02 08 80', '03 01 01'])('refuses the named bits of %s', (bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(() => cursor.readNamedBits(end)).toThrow(DerError);
  });

  it.each([
    ['01 01 ff', true],
    ['01 01 00', false],
    ['01 01 01', true],
  ])('reads the flag %s', (bytes, value) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(cursor.readBoolean(end)).toBe(value);
  });

  it.each(['01 00', '01 02 ff ff'])('refuses the flag %s', (bytes) => {
    const { cursor, end } = cursorOn(hex(bytes));
    expect(() => cursor.readBoolean(end)).toThrow(DerError);
  });
});

it.each([
  ['551d1c', '2.5.29.28'],
  ['2a864886f70d01010b', '1.2.840.113549.1.1.11'],
  ['88370301', '2.999.3.1'],
  ['2b06010505073001', '1.3.6.1.5.5.7.48.1'],
])('an OBJECT IDENTIFIER %s is formatted as %s', (contents, text) => {
  expect(formatOid(hex(contents))).toBe(text);
});
