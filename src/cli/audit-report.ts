/** `ehi-gateway audit report`: counts of what audit files contain. */

import { readRecords } from '../auditing/reading/records.ts';
import { type GroupField, parseGroupFields } from '../auditing/report/group-fields.ts';
import { reportJson } from '../auditing/report/json.ts';
import { reportPage } from '../auditing/report/page.ts';
import { ReportTally } from '../auditing/report/tally.ts';
import { describeReport } from '../auditing/report/text.ts';
import { timeRange } from '../auditing/report/time-range.ts';
import { type ReportView, reportView } from '../auditing/report/view.ts';
import { exitCodes } from '../errors.ts';
import { evidencePage } from '../evidence/page.ts';
import { toCsv } from '../terminal/csv.ts';
import { jsonLine } from '../terminal/json.ts';
import { checkOutput, writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { version } from '../version.ts';
import { parseBudget } from './audit-budget.ts';

export interface AuditReportOptions {
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly budget: string;
  readonly json: boolean;
  readonly csv: boolean;
  readonly html?: string;
  readonly force: boolean;
}

/** Prints the report on stdout. Resolves with the exit code: 0, or 1 if no record is in the range. Throws UsageError. */
export async function auditReport(
  files: readonly string[],
  { since, until, by, budget, json, csv, html, force }: AuditReportOptions,
): Promise<number> {
  const at = new Date();
  const tally = new ReportTally({
    range: timeRange({ since, until }, at.getTime()),
    by: groupFieldsOf(by, csv),
    budgetMs: parseBudget(budget),
  });
  if (html !== undefined) await checkOutput({ file: html, force });
  const progress = openProgress();
  const facts = await readRecords(files, {
    onRecord: (record) => tally.add(record),
    onProgress: (path, lines) => progress.show(printable(`${path}: ${lines} lines`)),
  }).finally(() => progress.end());
  const view = reportView(tally, facts);
  if (html !== undefined)
    await writeOutput({ file: html, contents: evidencePage(reportPage(view, { at, version })), force });
  process.stdout.write(textOf(view, { json, csv }));
  return tally.records === 0 ? exitCodes.failed : exitCodes.drained;
}

/** A table of CSV needs columns. */
function groupFieldsOf(by: string | undefined, csv: boolean): GroupField[] {
  if (by !== undefined) return parseGroupFields(by);
  return csv ? ['verdict', 'reason'] : [];
}

function textOf(view: ReportView, { json, csv }: { readonly json: boolean; readonly csv: boolean }): string {
  if (json) return jsonLine(reportJson(view));
  if (!csv) return describeReport(view);
  const { by } = view.tally.options;
  const columns = [...by, 'handshakes', 'messages', 'late', 'total_ms_p50', 'total_ms_p99', 'first', 'last'];
  const rows = view.groups.map(({ values, handshakes, messages, late, p50, p99, first, last }) => ({
    ...Object.fromEntries(by.map((field, index) => [field, values[index] ?? ''])),
    ...{ handshakes, messages, late, total_ms_p50: p50, total_ms_p99: p99, first, last },
  }));
  return toCsv(columns, rows);
}
