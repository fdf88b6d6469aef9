/** `ehi-gateway certs renew-check`: what must be renewed by when. */
import { describeProblem, exitCodes } from '../errors.ts';
import { purposes } from '../inspection/holdings/holding.ts';
import { collectHoldings } from '../inspection/holdings/holdings.ts';
import { describeDays } from '../inspection/inspection-text.ts';
import { shortPath } from '../inspection/inventory/inventory-text.ts';
import { isoTime } from '../inspection/item-facts.ts';
import { readConfiguration } from '../inspection/partial-configuration.ts';
import { planRenewals, type Renewal, type RenewalReport } from '../inspection/renewals.ts';
import { paint } from '../terminal/colours.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';
import { symbol } from '../terminal/symbols.ts';
import { formatTable } from '../terminal/table.ts';

export interface RenewCheckOptions {
  readonly config: string;
  readonly days: number;
  readonly json: boolean;
}

/**
 * Resolves with the exit code: 1 if something is due or cannot be read, 78 if the configuration has problems and nothing is
 * due. Throws ConfigError for a configuration whose fields are not valid.
 */
export async function renewCheck({ config: file, days, json }: RenewCheckOptions): Promise<number> {
  const now = Date.now();
  const { config, problems } = await readConfiguration(file);
  const report = planRenewals(await collectHoldings(config, now), { days, now });
  const due = report.renewals.filter(({ isDue }) => isDue);
  process.stdout.write(
    json ? jsonLine(documentOf(report, { file, days, now })) : textOf(report, { file, days }),
  );
  for (const problem of problems) process.stderr.write(`${printable(describeProblem(problem))}\n`);
  const isReported = (source: string) => problems.some(({ found }) => found.includes(source));
  for (const { source, path, detail } of report.faults.filter((each) => !isReported(each.source)))
    process.stderr.write(`${printable(`${path}: ${source}: ${detail}`)}\n`);
  if (due.length > 0 || report.faults.length > 0) return exitCodes.failed;
  return problems.length > 0 ? exitCodes.configuration : exitCodes.drained;
}

function documentOf(
  { renewals, faults }: RenewalReport,
  { file, days, now }: { readonly file: string; readonly days: number; readonly now: number },
) {
  return {
    ...{ config: file, at: new Date(now).toISOString(), days },
    due: renewals.filter(({ isDue }) => isDue).length,
    items: renewals.map((each) => ({
      ...{ purpose: each.purpose, subject: each.subject, issuer: each.issuer, serial: each.serial },
      ...{ not_after: each.end === null ? null : isoTime(each.end), days_left: each.daysLeft },
      ...{ urgency: each.urgency, due: each.isDue, source: each.source, used_by: each.usedBy },
      ...{ path: each.path, action: each.action },
    })),
    faults,
  };
}

function textOf(
  { renewals, faults }: RenewalReport,
  { file, days }: { readonly file: string; readonly days: number },
): string {
  const columns = ['', 'ends', 'left', 'what', 'subject', 'source'].map((title) => ({ title }));
  const table = formatTable({ columns, rows: renewals.map(rowOf) });
  const due = renewals.filter(({ isDue }) => isDue);
  const actions = due.map((each) => `  ${printable(`${each.subject}: ${each.action} (${each.path})`)}`);
  const unread = faults.length === 0 ? '' : `; ${faults.length} could not be read`;
  const summary = `${printable(file)}: ${due.length} of ${renewals.length} due within ${days} days${unread}`;
  return `${[table, '', summary, ...actions].join('\n')}\n`;
}

function rowOf({ isDue, end, urgency, daysLeft, purpose, subject, source }: Renewal): string[] {
  const isNear = urgency === 'expired' || urgency === 'within_7';
  const mark = symbol(isDue ? (isNear ? 'fail' : 'warn') : 'pass');
  const left = end === null ? 'no nextUpdate' : describeDays(daysLeft);
  return [
    mark,
    end === null ? '–' : new Date(end).toISOString().slice(0, 10),
    isNear ? paint('red', left) : left,
    purposes[purpose].text,
    printable(subject),
    printable(shortPath(source)),
  ];
}
