import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CrlTable,
  createTable,
  findRow,
  reasonAt,
  setSerial,
  sortTable,
} from '../../../src/revocation/crl/table.ts';

interface Row {
  readonly serial: Uint8Array;
  readonly issuer?: number;
  readonly reason?: number;
  readonly date?: number;
}

function tableOf(rows: readonly Row[], issuers: string[][] = [['a']]): CrlTable {
  const width = Math.max(1, ...rows.map(({ serial }) => serial.length));
  const table = createTable({ count: rows.length, width, issuers });
  for (const [index, { serial, issuer = 0, reason = 0, date = index }] of rows.entries()) {
    setSerial(table, index, { bytes: serial, start: 0, end: serial.length });
    table.dates[index] = date;
    table.marks[index] = issuer * 256 + reason;
  }
  sortTable(table);
  return table;
}

/** The contents of an INTEGER in its shortest form. */
function octetsOf(serial: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, serial) !== serial) length++;
  const hex = BigInt.asUintN(length * 8, serial)
    .toString(16)
    .padStart(length * 2, '0');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Of all lengths up to 21 octets, both signs, and often close to each other. */
const serials = fc.oneof(
  fc.bigInt({ min: -(2n ** 159n), max: 2n ** 160n }),
  fc.bigInt({ min: -300n, max: 300n }),
  fc.tuple(fc.nat(160), fc.bigInt({ min: -2n, max: 2n })).map(([bits, more]) => 2n ** BigInt(bits) + more),
);

describe('the table', () => {
  it('finds exactly the serial numbers of a set, each with date and reason', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(serials, { maxLength: 60 }),
        fc.array(serials, { maxLength: 60 }),
        (held, asked) => {
          const table = tableOf(
            held.map((serial, index) => ({ serial: octetsOf(serial), reason: index % 7 })),
          );
          const set = new Map(held.map((serial, index) => [serial, index]));
          for (const serial of [...held, ...asked]) {
            const index = set.get(serial);
            const row = findRow(table, octetsOf(serial), 'a');
            expect(row >= 0).toBe(index !== undefined);
            if (index === undefined) continue;
            expect(table.dates[row]).toBe(index);
            expect((table.marks[row] as number) & 0xff).toBe(index % 7);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('distinguishes serial numbers that differ only by sign or by a leading octet', () => {
    const octets = [[0xff], [0x00, 0xff], [0x7f], [0xff, 0x7f], [0x01, 0x00, 0xff], [0x80], [0x00]];
    const rows = octets.map((serial) => ({ serial: Uint8Array.from(serial) }));
    for (const [index] of rows.entries()) {
      const table = tableOf(rows.filter((_, other) => other !== index));
      for (const [other, { serial }] of rows.entries())
        expect(findRow(table, serial, 'a') >= 0).toBe(other !== index);
    }
  });

  it('finds nothing if it is empty', () => {
    expect(findRow(tableOf([]), Uint8Array.of(1), 'a')).toBe(-1);
  });

  it('finds no serial number that is longer than every row', () => {
    const table = tableOf([{ serial: Uint8Array.of(0x7f) }, { serial: Uint8Array.of(0x80) }]);
    for (const serial of [
      [0x00, 0x80],
      [0xff, 0x7f],
      [0x01, 0x7f],
    ])
      expect(findRow(table, Uint8Array.from(serial), 'a')).toBe(-1);
  });

  it('finds the certificate of the right issuer among equal serial numbers', () => {
    const serial = Uint8Array.of(1);
    const issuers = [['a'], ['b', 'c'], []];
    const table = tableOf(
      [
        { serial, issuer: 1, date: 10 },
        { serial: Uint8Array.of(2), issuer: 0, date: 20 },
        { serial, issuer: 2, date: 30 },
      ],
      issuers,
    );
    expect(findRow(table, serial, 'a')).toBe(-1);
    expect(table.dates[findRow(table, serial, 'c')]).toBe(10);
    expect(table.dates[findRow(table, Uint8Array.of(2), 'a')]).toBe(20);
  });

  it('prefers a row that revokes to removeFromCRL', () => {
    const serial = Uint8Array.of(1);
    for (const reasons of [
      [8, 1],
      [1, 8],
    ]) {
      const table = tableOf(reasons.map((reason) => ({ serial, reason })));
      expect(reasonAt(table, findRow(table, serial, 'a'))).toBe('keyCompromise');
    }
  });

  it('uses one shared buffer', () => {
    const { serials: rows, dates, marks } = tableOf([{ serial: Uint8Array.of(1) }]);
    expect(rows.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([dates.buffer, marks.buffer]).toEqual([rows.buffer, rows.buffer]);
    expect(structuredClone(rows).buffer.byteLength).toBe(rows.buffer.byteLength);
  });
});
