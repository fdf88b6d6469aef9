/** The inventory for people: a table of keys and certificates, a table of protocols and cipher suites. */
import { isAbsolute, relative } from 'node:path';
import { paint } from '../../terminal/colours.ts';
import { printable } from '../../terminal/printable.ts';
import { formatTable } from '../../terminal/table.ts';
import { describeDays } from '../inspection-text.ts';
import { type InventoryRow, weaknessOf } from './inventory.ts';
import type { OfferedSuite } from './offered-suites.ts';

const columns = ['purpose', 'owner', 'subject', 'ends', 'left', 'algorithm', 'source', 'state', 'last use'];
const suiteColumns = ['used by', 'protocol', 'cipher suite', 'strength', 'rating'];

/** `isAsked`: a running gateway was asked for the last use. */
export function describeInventory(
  rows: readonly InventoryRow[],
  { suites, isAsked }: { readonly suites: readonly OfferedSuite[]; readonly isAsked: boolean },
): string {
  const shown = isAsked ? columns : columns.slice(0, -1);
  return [
    paint('bold', 'Trusted keys and certificates'),
    formatTable({
      columns: shown.map((title) => ({ title })),
      rows: rows.map((row) => cellsOf(row).slice(0, shown.length)),
    }),
    '',
    paint('bold', 'Protocols and cipher suites offered'),
    formatTable({ columns: suiteColumns.map((title) => ({ title })), rows: summarized(suites) }),
    '',
  ].join('\n');
}

/** The listener chooses, so its suites are listed one by one. Elsewhere the other side chooses from a long list. */
function summarized(suites: readonly OfferedSuite[]): string[][] {
  const groups = Map.groupBy(suites.map(suiteCells), ([usedBy, protocol, suite, strength, rating]) =>
    JSON.stringify([usedBy, protocol, strength, rating, usedBy?.startsWith('listener') ? suite : null]),
  );
  return [...groups.values()].map((cells) => {
    const [[usedBy = '', protocol = '', suite = '', strength = '', rating = ''] = []] = cells;
    return [usedBy, protocol, cells.length === 1 ? suite : `${cells.length} suites`, strength, rating];
  });
}

/** Also for the page, which escapes them itself. */
export function plainCells(row: InventoryRow): string[] {
  const { subject, sha256, pin } = row;
  return [
    ...[row.purpose, row.owner ?? '', subject ?? pin ?? row['x5t#S256'] ?? sha256 ?? ''],
    ...[row.not_after?.slice(0, 10) ?? '', row.days_left === null ? '' : describeDays(row.days_left)],
    ...[algorithmOf(row), shortPath(row.source), row.state, row.last_use ?? row.last_use_note ?? 'not asked'],
  ].map(printable);
}

function cellsOf(row: InventoryRow): string[] {
  const isNear = row.days_left !== null && row.days_left < 30;
  return plainCells(row).map((cell, index) => (index === 4 && isNear ? paint('red', cell) : cell));
}

/** Relative to the current folder where that is shorter. */
export function shortPath(source: string): string {
  if (!isAbsolute(source)) return source;
  const short = relative(process.cwd(), source);
  return short.length < source.length ? short : source;
}

function algorithmOf({ algorithm, strength_bits: bits, signature, weakness }: InventoryRow): string {
  if (algorithm === null) return '';
  const strength = bits === null ? '' : ` (${bits} bits)`;
  const weak = weakness === null ? '' : `, WEAK: ${weakness}`;
  return `${algorithm}${strength}${signature === null ? '' : `, ${signature}`}${weak}`;
}

export function suiteCells(suite: OfferedSuite): string[] {
  const { usedBy, protocol, suite: name, strengthBits, rating } = suite;
  const why = weaknessOf(suite);
  const bits = strengthBits === null ? 'not known' : `${strengthBits} bits`;
  return [usedBy, protocol, name, bits, why === null || why === rating ? rating : `${rating}: ${why}`];
}
