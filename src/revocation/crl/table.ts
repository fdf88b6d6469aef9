/** The revoked certificates of a CRL as a sorted table in shared memory, searched in place: a look-up allocates nothing. */

export interface CrlTable {
  readonly count: number;
  /** Octets per serial: as many as the longest one has. */
  readonly width: number;
  /** `count` rows in ascending order, each serial's sign extended to the left (two's complement). */
  readonly serials: Uint8Array<SharedArrayBuffer>;
  /** Per row: when it was revoked, milliseconds since the epoch; NaN: unknown. */
  readonly dates: Float64Array<SharedArrayBuffer>;
  /** Per row: the CRLReason in the lowest octet, above it which of `issuers` the certificate is of. */
  readonly marks: Uint32Array<SharedArrayBuffer>;
  /** Names of certificate issuers, the CRL's own first; more than that only in an indirect CRL. null: perhaps any. */
  readonly issuers: readonly (readonly string[] | null)[];
}

/** CRLReason (RFC 5280 §5.3.1); 7 is not used. */
export const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  null,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
export type RevocationReason = Exclude<(typeof revocationReasons)[number], null>;
export const removeFromCrl = 8;

const MAX_ROWS = 2 ** 24;
const MAX_ISSUERS = 2 ** 24;

/** An empty table of so many rows, to be filled and then sorted. Throws RangeError where they would be too many. */
export function createTable(options: {
  readonly count: number;
  readonly width: number;
  readonly issuers: CrlTable['issuers'];
}): CrlTable {
  const { count, width, issuers } = options;
  if (count > MAX_ROWS || issuers.length > MAX_ISSUERS) throw new RangeError(`${count} revoked certificates`);
  const bytes = count * (8 + 4 + width);
  // Memory that could grow is the kernel's and not malloc's, which would keep it for itself when it is freed.
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
 * The row of a certificate, or -1. `serial`: the contents of its INTEGER, in its shortest form; `issuer`: its canonical issuer.
 * Of several rows the one that revokes is found, before one that only takes a revocation back.
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

/** The first row that is not below the serial. */
function lowerBound(table: CrlTable, serial: Uint8Array): number {
  let [low, high] = [0, table.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(table, middle, serial) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Below 0: the row's serial comes first. A serial longer than all rows comes first or last, and equals none. */
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

/** Writes the serial that is `bytes[start, end)` into a row. */
export function setSerial(
  { serials, width }: CrlTable,
  row: number,
  { bytes, start, end }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
): void {
  const to = (row + 1) * width - (end - start);
  serials.fill((bytes[start] as number) & 0x80 ? 0xff : 0, row * width, to);
  for (let at = start; at < end; at++) serials[to + at - start] = bytes[at] as number;
}

/** Brings the rows into ascending order of their serials, octet by octet from the left; equal ones stay in order. */
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

/** Row `row` gets what row `order[row]` had; in place, along the cycles of the permutation. */
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
