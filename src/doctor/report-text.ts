/** The report for a terminal: one line per check, then the grade, then what to do. */

import { paint, type Style } from '../terminal/colours.ts';
import { printable } from '../terminal/printable.ts';
import { symbol } from '../terminal/symbols.ts';
import { type Check, groups } from './check.ts';
import {
  adviceOf,
  countOf,
  describeCaps,
  describeGrade,
  describeScores,
  type Outcome,
  type Report,
} from './report.ts';

/** Columns where the output is no terminal. */
const defaultWidth = 110;
const minFactWidth = 30;

/** `width`: columns of the terminal. Ends with a line break. */
export function reportText(report: Report, width: number = defaultWidth): string {
  const nameWidth = Math.max(...report.checks.map(({ name }) => name.length));
  const indent = nameWidth + 6;
  const wrapped = (text: string) => wrap(text, Math.max(minFactWidth, width - indent));
  const blocks = groups.flatMap((group) => {
    const checks = report.checks.filter((each) => each.group === group);
    if (checks.length === 0) return [];
    return [[paint('bold', group), ...checks.flatMap((each) => checkLines(each, { nameWidth, wrapped }))]];
  });
  const title = `${printable(report.url)}${report.address === null ? '' : ` at ${report.address}`}`;
  return `${[[paint('bold', title)], ...blocks, gradeLines(report), adviceLines(report, width)]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function checkLines(
  { outcome, name, fact }: Check,
  options: { readonly nameWidth: number; readonly wrapped: (text: string) => string[] },
): string[] {
  const { nameWidth, wrapped } = options;
  const [first = '', ...rest] = wrapped(printable(fact));
  const space = ' '.repeat(nameWidth + 6);
  return [`  ${symbol(outcome)} ${name.padEnd(nameWidth)}  ${first}`, ...rest.map((line) => space + line)];
}

/** A text that is too long is broken at the semicolons that separate its parts, and at spaces; a longer word stays whole. */
function wrap(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  return text.split(/(?<=;) /).flatMap((part) => wrapWords(part, width));
}

function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const gradeStyles: Readonly<Record<string, Style>> = { A: 'green', 'A-': 'green', B: 'yellow', C: 'yellow' };

function gradeLines({ grade }: Report): string[] {
  const style = gradeStyles[grade?.letter ?? ''] ?? 'red';
  const scores = describeScores(grade);
  return [
    `Grade ${paint(style, describeGrade(grade))}`,
    ...(scores === null ? [] : [`  ${scores} of 100, as SSL Labs rates`]),
    ...describeCaps(grade).map((line) => `  ${line}`),
  ];
}

function adviceLines(report: Report, width: number): string[] {
  const advice = adviceOf(report).map(({ outcome, checks, hint }) => {
    const names = checks.map(({ name }) => name);
    const [first = '', ...rest] = wrapWords(
      `${names.join(', ')}: ${printable(hint)}`,
      Math.max(minFactWidth, width - 4),
    );
    return [`  ${symbol(outcome)} ${first}`, ...rest.map((line) => `    ${line}`)].join('\n');
  });
  return [summaryOf(report), ...(advice.length === 0 ? [] : ['What to do', ...advice])];
}

const words: Record<Exclude<Outcome, 'pass'>, readonly [one: string, many: string]> = {
  fail: ['failed', 'failed'],
  warn: ['warning', 'warnings'],
  unknown: ['not judged', 'not judged'],
};

/** `27 of 31 checks passed, 1 failed, 3 not judged` */
export function summaryOf(report: Pick<Report, 'checks'>): string {
  const parts = Object.entries(words).flatMap(([outcome, [one, many]]) => {
    const number = countOf(report, outcome as Outcome);
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  });
  return [`${countOf(report, 'pass')} of ${report.checks.length} checks passed`, ...parts].join(', ');
}
