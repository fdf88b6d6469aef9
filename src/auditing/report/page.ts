/** A report as a page with charts. */
import { barChart } from '../../evidence/chart.ts';
import type { EvidencePage, Section } from '../../evidence/page.ts';
import type { Bucket } from './time-buckets.ts';
import type { Percentiles, ReportView } from './view.ts';

const maxBars = 96;
const maxRows = 200;

export function reportPage(
  view: ReportView,
  { at, version }: { readonly at: Date; readonly version: string },
): EvidencePage {
  const { tally, files } = view;
  const { handshakes, messages, period } = tally;
  return {
    title: 'Audit report',
    subtitle: period === null ? 'no record' : `${period.first} to ${period.last}`,
    ...{ at, version },
    facts: [
      ['files', files.files.join(', ')],
      ['records', `${tally.records}`],
      ['handshakes', `${handshakes.total}, ${handshakes.resumed} of them resumed`],
      [
        'messages',
        `${messages.messages}, ${messages.late} of them late (beyond ${tally.options.budgetMs} ms, or without a complete response)`,
      ],
      ...view.remarks.map((remark): [string, string] => ['note', remark]),
    ],
    sections: sectionsOf(view),
  };
}

function sectionsOf(view: ReportView): Section[] {
  const { tally } = view;
  const { by } = tally.options;
  return [
    ...chartsOf(view),
    ...tableOf(
      `By ${by.join(', ')}`,
      [...by, 'handshakes', 'messages', 'late', 'p50 ms', 'p99 ms', 'first', 'last'],
      view.groups.map((each) => [
        ...each.values,
        `${each.handshakes}`,
        `${each.messages}`,
        `${each.late}`,
        cell(each.p50),
        cell(each.p99),
        each.first,
        each.last,
      ]),
    ),
    ...tableOf(
      'Handshakes by verdict and reason',
      ['verdict', 'reason', 'count'],
      view.reasons.map(({ verdict, reason, count }) => [verdict, reason ?? '', `${count}`]),
    ),
    ...tableOf(
      'Clients',
      ['subject', 'issuer', 'serial', 'pin', 'allowed', 'denied', 'failed', 'first seen', 'last seen'],
      view.clients.map((each) => [
        ...[each.subject, each.issuer, each.serial, each.pin ?? ''],
        ...[`${each.allow}`, `${each.deny}`, `${each.failed}`, each.first, each.last],
      ]),
    ),
    ...tableOf(
      'Source addresses',
      ['address', 'allowed', 'denied', 'failed', 'first seen', 'last seen'],
      view.sources.map(([address, { allow, deny, failed, first, last }]) => [
        ...[address, `${allow}`, `${deny}`, `${failed}`, first, last],
      ]),
    ),
    ...tableOf(
      'Messages by outcome and reason',
      ['outcome', 'reason', 'count'],
      view.outcomes.map(({ outcome, reason, count }) => [outcome, reason ?? '', `${count}`]),
    ),
    ...tableOf(
      'Times in milliseconds',
      ['', 'p50', 'p90', 'p99', 'p99.9', 'max', 'count'],
      [
        timesRow('handshake', view.handshakeTime),
        timesRow('message, total', view.messageTime),
        timesRow('message, host', view.upstreamTime),
      ],
    ),
    ...tableOf(
      'Other events',
      ['event', 'count'],
      [...tally.events].map(([event, count]) => [event, `${count}`]),
    ),
  ];
}

function chartsOf({ tally }: ReportView): Section[] {
  const steps = tally.buckets.within(maxBars);
  if (steps.length === 0) return [];
  const chart = (heading: string, unit: string, value: (bucket: Bucket) => number): Section[] => {
    if (steps.every(({ bucket }) => value(bucket) === 0)) return [];
    const bars = steps.map(({ begin, bucket }) => ({ label: labelOf(begin), value: value(bucket) }));
    const label = `${heading}, in steps of ${tally.buckets.step / 60} min`;
    return [{ kind: 'chart', heading: label, svg: barChart({ label, unit, bars }) }];
  };
  return [
    ...chart('Messages', 'messages', ({ messages }) => messages),
    ...chart('Late messages', 'messages', ({ late }) => late),
    ...chart('Handshakes allowed', 'handshakes', ({ allow }) => allow),
    ...chart('Handshakes denied', 'handshakes', ({ deny }) => deny),
    ...chart('Handshakes failed', 'handshakes', ({ failed }) => failed),
  ];
}

/** `11-29 05:00`, UTC. */
function labelOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(5, 16).replace('T', ' ');
}

function tableOf(
  heading: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): Section[] {
  if (rows.length === 0) return [];
  const more = rows.length > maxRows ? ` (the first ${maxRows} of ${rows.length})` : '';
  return [{ kind: 'table', heading: heading + more, columns, rows: rows.slice(0, maxRows) }];
}

function timesRow(name: string, { p50, p90, p99, p99_9, max, count }: Percentiles): string[] {
  return [name, ...[p50, p90, p99, p99_9, max].map(cell), `${count}`];
}

function cell(value: number | null): string {
  return value === null ? '' : `${value}`;
}
