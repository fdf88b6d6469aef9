/** The entries of a CRL as a sorted table in shared memory, searched in place without allocation. */
import { type RevocationReason, removeFromCrl, revocationReasons } from '../reasons.ts';

export interface CrlTable {
  readonly count: number;
  /** Octets per row: the length of the longest serial number. */
  readonly width: number;
  /**
   * `count` serial numbers, each sign-extended to `width` (two's complement). After `sortTable` in ascending order of their
   * octets, compared as unsigned: negative numbers come last.
   */
  readonly serials: Uint8Array<SharedArrayBuffer>;
  /** Per row: time of revocation, milliseconds since the epoch; NaN: unknown. */
  readonly dates: Float64Array<SharedArrayBuffer>;
  /** Per row: the CRLReason in the lowest octet, above it the index in `issuers`. */
  readonly marks: Uint32Array<SharedArrayBuffer>;
  /** Names of certificate issuers, the CRL's own first, others in an indirect CRL only; null: any issuer matches. */
  readonly issuers: readonly (readonly string[] | null)[];
}

const MAX_ROWS = 2 ** 24;
const MAX_ISSUERS = 2 ** 24;

/** An empty table with `count` rows, to be filled and then sorted. Throws RangeError above the maximum. */
export function createTable(options: {
  readonly count: number;
  readonly width: number;
  readonly issuers: CrlTable['issuers'];
}): CrlTable {
  const { count, width, issuers } = options;
  if (count > MAX_ROWS || issuers.length > MAX_ISSUERS)
    throw new RangeError(
      `${count} entries of ${issuers.length} issuers, above the limit of ${MAX_ROWS} each`,
    );
  const bytes = count * (8 + 4 + width);
  // A growable buffer is mapped by the kernel; malloc would keep the memory of a fixed one after it is freed.
  const memory = new SharedArrayBuffer(bytes, { maxByteLength: bytes });
  return {
    ...options,
    dates: new Float64Array(memory, 0, count),
    marks: new Uint32Array(memory, count * 8, count),
    serials: new Uint8Array(memory, count * 12, count * width),
  };
}

export function reasonAt({ marks }: CrlTable, row: number): RevocationReason {
  return revocationReasons[(marks[row] as number) & 0xff] ?? 'unspecified';
}

/**
 * The row of a certificate, or -1. `serial`: the contents of its INTEGER, in the shortest form; `issuer`: its canonical
 * issuer. Of several rows one that revokes comes before removeFromCRL.
 */
export function findRow(table: CrlTable, serial: Uint8Array, issuer: string): number {
  const { count, issuers, marks } = table;
  let removed = -1;
  for (let row = lowerBound(table, serial); row < count && compareAt(table, row, serial) === 0; row++) {
    const mark = marks[row] as number;
    const names = issuers[mark >>> 8];
    if (names !== null && names?.includes(issuer) !== true) continue;
    if ((mark & 0xff) !== removeFromCrl) return row;
    removed = row;
  }
  return removed;
}

/** The first row whose serial number is not less. */
function lowerBound(table: CrlTable, serial: Uint8Array): number {
  let [low, high] = [0, table.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(table, middle, serial) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Negative if the row's serial number is less. A serial number longer than `width` equals no row. */
function compareAt({ serials, width }: CrlTable, row: number, serial: Uint8Array): number {
  const sign = signOf(serial);
  const lead = width - serial.length;
  if (lead < 0) return sign === 0 ? -1 : 1;
  const at = row * width;
  for (let index = 0; index < width; index++) {
    const octet = index < lead ? sign : (serial[index - lead] as number);
    const difference = (serials[at + index] as number) - octet;
    if (difference !== 0) return difference;
  }
  return 0;
}

function signOf(serial: Uint8Array): number {
  return (serial[0] ?? 0) & 0x80 ? 0xff : 0;
}

/** Writes the serial number in `bytes[start, end)` to a row. */
export function setSerial(
  { serials, width }: CrlTable,
  row: number,
  { bytes, start, end }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
): void {
  const to = (row + 1) * width - (end - start);
  serials.fill((bytes[start] as number) & 0x80 ? 0xff : 0, row * width, to);
  for (let at = start; at < end; at++) serials[to + at - start] = bytes[at] as number;
}

/** Sorts the rows by serial number, octet by octet from the left; stable. */
export function sortTable(table: CrlTable): void {
  const { count, width, serials } = table;
  const order = new Uint32Array(count).map((_, row) => row);
  order.sort((a, b) => {
    const [atA, atB] = [a * width, b * width];
    for (let index = 0; index < width; index++) {
      const difference = (serials[atA + index] as number) - (serials[atB + index] as number);
      if (difference !== 0) return difference;
    }
    return a - b;
  });
  permute(table, order);
}

/** Moves row `order[row]` to `row`, in place along the cycles of the permutation. */
function permute({ count, width, serials, dates, marks }: CrlTable, order: Uint32Array): void {
  const serial = new Uint8Array(width);
  for (let first = 0; first < count; first++) {
    if (order[first] === first) continue;
    serial.set(serials.subarray(first * width, (first + 1) * width));
    const [date, mark] = [dates[first] as number, marks[first] as number];
    let row = first;
    for (let from = order[row] as number; from !== first; from = order[row] as number) {
      serials.copyWithin(row * width, from * width, (from + 1) * width);
      dates[row] = dates[from] as number;
      marks[row] = marks[from] as number;
      order[row] = row;
      row = from;
    }
    serials.set(serial, row * width);
    dates[row] = date;
    marks[row] = mark;
    order[row] = row;
  }
}
