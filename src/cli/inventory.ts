/** `ehi-gateway inventory`: every trusted key and certificate, and the protocols and cipher suites offered. */
import { describeProblem, exitCodes } from '../errors.ts';
import { evidencePage } from '../evidence/page.ts';
import type { Holding } from '../inspection/holdings/holding.ts';
import { collectHoldings } from '../inspection/holdings/holdings.ts';
import { type InventoryRow, inventoryRows, suiteRows } from '../inspection/inventory/inventory.ts';
import { inventoryPage } from '../inspection/inventory/inventory-page.ts';
import { describeInventory } from '../inspection/inventory/inventory-text.ts';
import { type OfferedSuite, offeredSuites } from '../inspection/inventory/offered-suites.ts';
import { readRunningGateway } from '../inspection/inventory/running-gateway.ts';
import { readConfiguration } from '../inspection/partial-configuration.ts';
import { toCsv } from '../terminal/csv.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { version } from '../version.ts';

export interface InventoryOptions {
  readonly config: string;
  readonly json: boolean;
  readonly csv: boolean;
  readonly url?: string;
  readonly report?: string;
  readonly force: boolean;
}

/**
 * Prints the inventory on stdout. Resolves with the exit code: 0, or 1 if a file could not be read. Throws UsageError,
 * UnreachableError, ConfigError.
 */
export async function inventory(options: InventoryOptions): Promise<number> {
  const { config: file, url = null, report, force } = options;
  const at = new Date();
  const { config, problems } = await readConfiguration(file);
  const running = url === null ? null : await readRunningGateway(url);
  const holdings = await collectHoldings(config, at.getTime());
  const rows = inventoryRows(holdings, { running, now: at.getTime() });
  const suites = await offeredSuites(offerOf(holdings));
  if (report !== undefined) {
    const page = inventoryPage({ config: file, at, version, url, rows, suites });
    await writeOutput({ file: report, contents: evidencePage(page), force });
  }
  process.stdout.write(textOf({ file, at, rows, suites }, options));
  for (const problem of problems) process.stderr.write(`${printable(describeProblem(problem))}\n`);
  const faults = rows.filter(({ kind }) => kind === 'fault');
  const isReported = (source: string) => problems.some(({ found }) => found.includes(source));
  for (const { path, source, state } of faults.filter((each) => !isReported(each.source)))
    process.stderr.write(`${printable(`${path}: ${source}: ${state}`)}\n`);
  return faults.length > 0 ? exitCodes.failed : exitCodes.drained;
}

function offerOf(holdings: readonly Holding[]) {
  const servers = holdings.flatMap((each) =>
    each.kind === 'certificate' && each.purpose === 'server' ? [each.certificate.key.type] : [],
  );
  const keyTypes = servers.map((type): 'RSA' | 'ECDSA' => (type === 'rsa' ? 'RSA' : 'ECDSA'));
  return {
    keyTypes: new Set(keyTypes),
    hasTlsHosts: holdings.some(({ usedBy }) => usedBy.includes('host https:')),
    fetches: holdings.some(
      ({ source, usedBy }) => source.startsWith('https:') || usedBy.includes('collector https:'),
    ),
  };
}

interface Inventory {
  readonly file: string;
  readonly at: Date;
  readonly rows: readonly InventoryRow[];
  readonly suites: readonly OfferedSuite[];
}

function textOf({ file, at, rows, suites }: Inventory, { json, csv, url }: InventoryOptions): string {
  if (csv) {
    const all = [...rows, ...suiteRows(suites)];
    return toCsv(
      Object.keys(all[0] ?? {}),
      all.map((row) => ({ ...row })),
    );
  }
  if (!json) return describeInventory(rows, { suites, isAsked: url !== undefined });
  return jsonLine({
    ...{ config: file, at: at.toISOString(), version, items: rows },
    cipher_suites: suites.map(({ usedBy, purpose, protocol, suite, ...each }) => ({
      ...{ used_by: usedBy, purpose, protocol, suite, strength_bits: each.strengthBits },
      ...{ forward_secrecy: each.forwardSecrecy, aead: each.aead, rating: each.rating },
    })),
  });
}
