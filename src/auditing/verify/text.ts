/** The result of a verification for people: the verdict, the findings, worst first, and a summary. */

import { paint } from '../../terminal/colours.ts';
import { printable } from '../../terminal/printable.ts';
import { type Outcome, symbol } from '../../terminal/symbols.ts';
import { formatTable } from '../../terminal/table.ts';
import type { Finding, Severity } from './finding.ts';
import { describeFinding } from './finding-meaning.ts';
import { nameOf, whereOf } from './finding-text.ts';
import type { Findings } from './findings.ts';
import type { VerifySummary } from './summary.ts';
import type { Verification } from './verification.ts';

/** More are counted; JSON has all that were kept. */
const maxShown = 100;
const maxShownChains = 20;

const outcomes: Record<Severity, Outcome> = { tampering: 'fail', gap: 'warn', notice: 'pass' };

/** Ends with a line break. */
export function describeVerification({ findings, files }: Verification, summary: VerifySummary): string {
  const sorted = findings.sorted;
  const shown = sorted.slice(0, maxShown);
  const more = sorted.length - shown.length + omittedOf(findings);
  return [
    describeVerdict(findings),
    '',
    ...shown.flatMap(describe),
    ...(more > 0 ? [`and ${more} more findings`, ''] : []),
    paint('bold', 'Summary'),
    formatTable({ columns: [{ title: '' }, { title: '' }], rows: summaryRows(summary, files.length) }),
    '',
    paint('bold', 'Not proven'),
    ...summary.notProven.map((sentence) => `  - ${sentence}`),
    '',
  ].join('\n');
}

function describeVerdict(findings: Findings): string {
  const count = findings.count('tampering');
  const places = count === 1 ? '1 place' : `${count} places`;
  switch (findings.verdict) {
    case 'tampered':
      return paint('red', `TAMPERED: in ${places} the files are not as the gateway wrote them.`);
    case 'incomplete':
      return paint('yellow', 'SOUND WITH GAPS: nothing was altered, but not everything is proven.');
    case 'sound':
      return paint('green', 'SOUND: all lines are as the gateway wrote them.');
    default:
      return findings.verdict satisfies never;
  }
}

function describe(finding: Finding): string[] {
  const { severity } = finding;
  const where = whereOf(finding);
  return [
    `${symbol(outcomes[severity])} ${paint('bold', nameOf(finding))}`,
    ...(where === '' ? [] : [`  ${printable(where)}`]),
    `  ${printable(describeFinding(finding))}`,
    '',
  ];
}

function summaryRows(summary: VerifySummary, files: number): string[][] {
  const { lines, seals, sealedLines, keys, firstTime, lastTime, chains } = summary;
  return [
    ['files', `${files}`],
    ['lines', `${lines} with ${seals} seals; ${sealedLines} lines are confirmed by a seal`],
    ['signed by', keys.map((key) => key ?? 'no key').join(', ')],
    ['first', firstTime ?? 'unknown'],
    ['last', lastTime ?? 'unknown'],
    ...chains
      .slice(0, maxShownChains)
      .map(({ chain, firstSeq, lastSeq, lastTime: last, lastEvent }) => [
        'chain',
        `${chain}, seals ${firstSeq} to ${lastSeq}, the last at ${last} (${lastEvent})`,
      ]),
    ...(chains.length > maxShownChains
      ? [['', `and ${chains.length - maxShownChains} more chains; --json has all`]]
      : []),
  ].map(([name = '', value = '']) => [`  ${name}`, value]);
}

function omittedOf({ omitted }: Findings): number {
  return omitted.tampering + omitted.gap + omitted.notice;
}
