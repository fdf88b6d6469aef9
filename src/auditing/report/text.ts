/** A report for a terminal: tables, the most frequent first. */

import { paint } from '../../terminal/colours.ts';
import { printable } from '../../terminal/printable.ts';
import { type Column, formatTable } from '../../terminal/table.ts';
import type { Percentiles, ReportView } from './view.ts';

/** Rows of a table; JSON and CSV have all. */
const maxRows = 25;

/** Ends with a line break. */
export function describeReport(view: ReportView): string {
  const { tally } = view;
  const blocks = [
    summaryOf(view),
    ...(tally.options.by.length > 0 ? [groupTable(view)] : []),
    table(
      'Handshakes',
      ['verdict', 'reason', '#count'],
      view.reasons.map(({ verdict, reason, count }) => [verdict, reason ?? '', `${count}`]),
    ),
    table(
      'Clients',
      ['subject', 'issuer', 'serial', '#allowed', '#denied', '#failed', 'first seen', 'last seen'],
      view.clients.map((each) => [
        ...[each.subject, each.issuer, each.serial],
        ...[`${each.allow}`, `${each.deny}`, `${each.failed}`, short(each.first), short(each.last)],
      ]),
    ),
    table(
      'Source addresses',
      ['address', '#allowed', '#denied', '#failed', 'first seen', 'last seen'],
      view.sources.map(([address, each]) => [
        ...[address, `${each.allow}`, `${each.deny}`, `${each.failed}`, short(each.first), short(each.last)],
      ]),
    ),
    table(
      'Messages',
      ['outcome', 'reason', '#count'],
      view.outcomes.map(({ outcome, reason, count }) => [outcome, reason ?? '', `${count}`]),
    ),
    table(
      'Routes',
      ['route', '#messages', '#late', '#p50 ms', '#p99 ms'],
      view.routes.map(([route, { messages, late, total }]) => [
        ...[route, `${messages}`, `${late}`],
        ...[number(total.percentile(0.5)), number(total.percentile(0.99))],
      ]),
    ),
    timesTable(view),
    table(
      'Other events',
      ['event', '#count'],
      [...tally.events].map(([event, count]) => [event, `${count}`]),
    ),
    table(
      'Clients refused on open connections',
      ['reason', '#count'],
      [...tally.withdrawn].map(([reason, count]) => [reason, `${count}`]),
    ),
  ];
  return `${[...blocks.filter((block) => block !== ''), ...remarks(view)].join('\n\n')}\n`;
}

function summaryOf({ tally, files }: ReportView): string {
  const { period, handshakes, messages, records } = tally;
  const rows = [
    ['files', `${files.files.length}, ${files.lines} lines, ${files.seals} seals`],
    ['period', period === null ? 'no record' : `${period.first} to ${period.last}`],
    ['records', `${records}`],
    ['handshakes', `${handshakes.total}, ${handshakes.resumed} of them resumed`],
    [
      'messages',
      `${messages.messages}, ${messages.late} of them late (${share(messages.late, messages.messages)})`,
    ],
  ];
  return titled(
    'Summary',
    formatTable({
      columns: [{ title: '' }, { title: '' }],
      rows: rows.map(([name = '', value = '']) => [`  ${name}`, printable(value)]),
    }),
  );
}

function groupTable({ tally, groups }: ReportView): string {
  const titles = [
    ...tally.options.by,
    '#handshakes',
    '#messages',
    '#late',
    '#p50 ms',
    '#p99 ms',
    'first',
    'last',
  ];
  const rows = groups.map(({ values, handshakes, messages, late, p50, p99, first, last }) => [
    ...values,
    ...[`${handshakes}`, `${messages}`, `${late}`, number(p50), number(p99), short(first), short(last)],
  ]);
  return table(`By ${tally.options.by.join(', ')}`, titles, rows);
}

function timesTable(view: ReportView): string {
  const rows: [string, Percentiles][] = [
    ['handshake', view.handshakeTime],
    ['message, total', view.messageTime],
    ['message, host', view.upstreamTime],
  ];
  const titles = ['time in ms', '#p50', '#p90', '#p99', '#p99.9', '#max', '#count'];
  const cells = rows
    .filter(([, { count }]) => count > 0)
    .map(([name, { p50, p90, p99, p99_9, max, count }]) => [
      name,
      ...[p50, p90, p99, p99_9, max].map(number),
      `${count}`,
    ]);
  return table('Times', titles, cells);
}

/** A title that begins with `#` is a column of numbers. Empty without rows. */
function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const formatted = formatTable({
    columns: columns.map(
      (name): Column => (name.startsWith('#') ? { title: name.slice(1), align: 'right' } : { title: name }),
    ),
    rows: rows.slice(0, maxRows).map((cells) => cells.map(printable)),
  });
  const more =
    rows.length > maxRows ? `\n${paint('dim', `and ${rows.length - maxRows} more: --json or --csv`)}` : '';
  return titled(title, formatted + more);
}

function titled(title: string, body: string): string {
  return `${paint('bold', title)}\n${body}`;
}

function remarks({ remarks: sentences }: ReportView): string[] {
  if (sentences.length === 0) return [];
  return [
    titled(
      'Note',
      sentences.map((sentence) => `  ${paint('yellow', '!')} ${printable(sentence)}`).join('\n'),
    ),
  ];
}

/** To the second. */
function short(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function number(value: number | null): string {
  return value === null ? '' : `${Math.round(value * 100) / 100}`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${Number(((part / whole) * 100).toPrecision(3))} %`;
}
