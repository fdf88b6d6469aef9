/** The options and help texts of `ehi-gateway audit`. */
import { type Command, Option } from 'commander';
import { defaultBudget } from './audit-budget.ts';
import type { AuditExplainOptions } from './audit-explain.ts';
import type { AuditReportOptions } from './audit-report.ts';
import type { AuditVerifyOptions } from './audit-verify.ts';
import type { Finish } from './finish.ts';

const filesText =
  'audit files, in any order: rotated, and compressed with gzip or zstd; the order is read from their content';

const budgetText = 'a message that takes longer is late';

export function addAudit(program: Command, finish: Finish): void {
  const audit = program.command('audit').description('Verify, summarise and explain audit files.');
  addVerify(audit, finish);
  addReport(audit, finish);
  addExplain(audit, finish);
}

function addVerify(audit: Command, finish: Finish): void {
  audit
    .command('verify')
    .description(
      'Check the seals in audit files: finds lines that were changed, removed, inserted, reordered or cut off. Exits with 0 if the files are sound, 1 if they were tampered with, 2 if they are sound but have gaps or an unsealed tail.',
    )
    .argument('<files...>', filesText)
    .option(
      '--public-key <file>',
      'the public key of the seals (PEM), as `certs audit-key` wrote it; without it signatures are not checked',
    )
    .option(
      '--accept-confirmed',
      'seals without a signature or of a key that was not given are a gap, not tampering, if they stand before the first right signature of their chain',
      false,
    )
    .option('--json', 'print JSON', false)
    .action(async (files: string[], options: AuditVerifyOptions) => {
      const { auditVerify } = await import('./audit-verify.ts');
      finish(await auditVerify(files, options));
    });
}

function addReport(audit: Command, finish: Finish): void {
  audit
    .command('report')
    .description('Count handshakes, refusals, clients and messages in audit files.')
    .argument('<files...>', filesText)
    .option(
      '--since <time>',
      'ignore records before this time: 2026-11-29, 2026-11-29T05:00:00Z, or a time back from now, such as 24h',
    )
    .option('--until <time>', 'ignore records at or after this time')
    .option('--budget <ms>', budgetText, defaultBudget)
    .option(
      '--by <fields>',
      'count by these fields, separated by commas: verdict, reason, issuer, subject, source, route',
    )
    .addOption(new Option('--json', 'print JSON').default(false))
    .addOption(
      new Option('--csv', 'print CSV (RFC 4180): a row for each group of --by, by default verdict and reason')
        .default(false)
        .conflicts(['json', 'html']),
    )
    .addOption(new Option('--html <file>', 'write a page with charts (HTML)').conflicts('json'))
    .option('--force', 'replace an existing page', false)
    .action(async (files: string[], options: AuditReportOptions) => {
      const { auditReport } = await import('./audit-report.ts');
      finish(await auditReport(files, options));
    });
}

function addExplain(audit: Command, finish: Finish): void {
  audit
    .command('explain')
    .description('Describe everything that happened to one connection or request, in order.')
    .argument('<id>', 'a conn_id or a request_id')
    .argument('<files...>', filesText)
    .option('--budget <ms>', `${budgetText}: give the budget of its route`, defaultBudget)
    .option('--json', 'print JSON', false)
    .action(async (id: string, files: string[], options: AuditExplainOptions) => {
      const { auditExplain } = await import('./audit-explain.ts');
      finish(await auditExplain(id, files, options));
    });
}
