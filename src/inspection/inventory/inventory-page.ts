/** The inventory as an evidence page: what an assessor needs of it, complete. */
import type { EvidencePage, Section } from '../../evidence/page.ts';
import { printable } from '../../terminal/printable.ts';
import type { InventoryRow } from './inventory.ts';
import { plainCells, suiteCells } from './inventory-text.ts';
import type { OfferedSuite } from './offered-suites.ts';

export interface InventoryEvidence {
  readonly config: string;
  readonly at: Date;
  readonly version: string;
  /** URL of the admin port; null: no running gateway was asked. */
  readonly url: string | null;
  readonly rows: readonly InventoryRow[];
  readonly suites: readonly OfferedSuite[];
}

/** Days: what ends within them is counted in the summary. */
const noticeDays = 30;

export function inventoryPage({ config, at, version, url, rows, suites }: InventoryEvidence): EvidencePage {
  const near = rows.filter(
    ({ days_left: days, kind }) => kind === 'certificate' && days !== null && days < noticeDays,
  );
  return {
    title: 'Inventory of trusted keys and certificates',
    subtitle: printable(config),
    ...{ at, version },
    facts: [
      ['Configuration', printable(config)],
      ['Running gateway', url === null ? 'not asked: no last use' : printable(url)],
      ['Keys and certificates', String(rows.length)],
      ['Certificates that end within 30 days, or have ended', String(near.length)],
      ['Weak keys or signatures', String(rows.filter(({ weakness }) => weakness !== null).length)],
      ['Cipher suites offered', String(suites.length)],
      [
        'Requirements',
        'PCI DSS 4.0.1: 4.2.1.1 (keys and certificates), 12.3.3 (cipher suites and protocols)',
      ],
    ],
    sections: [overview(rows), details(rows), suiteSection(suites)],
  };
}

function overview(rows: readonly InventoryRow[]): Section {
  const columns = ['Purpose', 'Owner', 'Subject', 'Ends', 'Left', 'Algorithm', 'Source', 'State', 'Last use'];
  return { kind: 'table', heading: 'Trusted keys and certificates', columns, rows: rows.map(plainCells) };
}

function details(rows: readonly InventoryRow[]): Section {
  const columns = ['Subject', 'Issuer', 'Serial', 'Valid', 'SHA-256', 'SPKI pin', 'Used by', 'Configuration'];
  return {
    ...{ kind: 'table', heading: 'Identification', columns },
    rows: rows
      .filter(({ subject }) => subject !== null)
      .map((row) =>
        [
          ...[row.subject ?? '', row.issuer ?? '', row.serial ?? ''],
          ...[`${row.not_before ?? '?'} to ${row.not_after ?? '?'}`, row.sha256 ?? '', row.pin ?? ''],
          ...[row.used_by, row.path],
        ].map(printable),
      ),
  };
}

function suiteSection(suites: readonly OfferedSuite[]): Section {
  const columns = ['Used by', 'Protocol', 'Cipher suite', 'Strength', 'Rating'];
  return {
    kind: 'table',
    heading: 'Protocols and cipher suites offered',
    columns,
    rows: suites.map(suiteCells),
  };
}
