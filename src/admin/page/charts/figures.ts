/** The figures with the charts of the last hour: each with a sentence that says the same, and a table of its values. */
import type { History, ReasonCount, TrafficStatus } from '../../status-schema.ts';
import { type Content, type Element, el, ownContent } from '../element.ts';
import {
  formatCount,
  formatMilliseconds,
  formatRate,
  formatSpan,
  hour,
  plural,
  second,
  unknown,
} from '../format.ts';
import { badge, code, empty, table } from '../pieces.ts';
import { largest, perMinute, rateOf, total } from './series.ts';

/** The id of each chart; chart.ts draws it into the element with that `data-chart`. */
export type ChartId = 'allowed' | 'denied' | 'failed' | 'latency' | 'rate' | 'late';

interface Figure {
  readonly id: ChartId;
  readonly name: string;
  /** What the chart shows, in words. */
  readonly summary: string;
  readonly legend?: Content;
}

export interface FiguresOptions {
  /** Whether the table is shown. */
  readonly isOpen: boolean;
}

export function verdictsView(history: History, { isOpen }: FiguresOptions): Content {
  return [
    ...verdictFigures(history).map(figure),
    details('verdicts-table', 'Handshakes as a table', isOpen, () => verdictsTable(history)),
  ];
}

function verdictFigures(history: History): Figure[] {
  const period = periodOf(history);
  return (['allowed', 'denied', 'failed'] as const).map((id) => {
    const sum = total(history[id]);
    const peak = largest(perMinute(history, history[id]).values) ?? 0;
    const most = sum === 0 ? '' : `, at most ${formatCount(peak)} a minute`;
    return { id, name: names[id], summary: `${sum === 0 ? 'none' : formatCount(sum)} ${period}${most}` };
  });
}

/** What the charts cover: an hour, or what has passed since the start. */
function periodOf({ ends, stepSeconds }: History): string {
  const covered = ends.length * stepSeconds * second;
  if (covered === 0) return `yet: the first ${stepSeconds} s are not over`;
  return `in the last ${covered < hour ? formatSpan(covered) : 'hour'}`;
}

const names = { allowed: 'Allowed', denied: 'Denied', failed: 'Failed' } as const;

function verdictsTable(history: History): Element {
  const [allowed, denied, failed] = (['allowed', 'denied', 'failed'] as const).map((id) =>
    perMinute(history, history[id]),
  );
  const rows = (allowed?.times ?? []).map((time, index) => ({
    time,
    counts: [allowed, denied, failed].map((series) => series?.values[index] ?? 0),
  }));
  return table({
    caption: 'Handshakes by verdict, each minute of the last hour, the newest first',
    rows: rows.toReversed(),
    keyOf: ({ time }) => String(time),
    columns: [
      { heading: 'Minute (UTC)', cell: ({ time }) => clock(time - 30).slice(0, 5) },
      ...(['allowed', 'denied', 'failed'] as const).map((id, index) => ({
        heading: names[id],
        isNumber: true,
        cell: ({ counts }: (typeof rows)[number]) => formatCount(counts[index] ?? 0),
      })),
    ],
  });
}

/** Milliseconds; null: the routes have different ones, or they are not known. The times of the history are of all routes. */
export function commonBudget(now: TrafficStatus | null): number | null {
  return now !== null && now.budgetMs === now.maxBudgetMs ? now.budgetMs : null;
}

export function latencyView(history: History, budgetMs: number | null, { isOpen }: FiguresOptions): Content {
  return [
    ...latencyFigures(history, budgetMs).map(figure),
    details('latency-table', 'Messages as a table', isOpen, () => latencyTable(history)),
  ];
}

function latencyFigures(history: History, budgetMs: number | null): Figure[] {
  const period = periodOf(history);
  const worst = largest(history.p99Ms);
  const budget = budgetMs === null ? '' : `, budget ${formatMilliseconds(budgetMs)}`;
  const fastest = largest(rateOf(history).values) ?? 0;
  const [messages, late] = [total(history.messages), total(history.late)];
  const most = messages === 0 ? '' : `, at most ${formatRate(fastest)} a second`;
  return [
    {
      id: 'latency',
      name: 'Time of a message',
      summary: `${worst === null ? 'no messages' : `highest p99 ${formatMilliseconds(worst)}`} ${period}${budget}`,
      legend: latencyLegend(budgetMs),
    },
    {
      id: 'rate',
      name: 'Messages per second',
      summary: `${messages === 0 ? 'none' : plural(messages, 'message')} ${period}${most}`,
    },
    { id: 'late', name: 'Late', summary: `${late === 0 ? 'none' : plural(late, 'message')} ${period}` },
  ];
}

/** The lines differ by dash too. */
function latencyLegend(budgetMs: number | null): Element {
  const entry = (line: string, name: string) => el('li', {}, el('i', { class: `line ${line}` }), name);
  return el('ul', { class: 'legend', 'aria-hidden': 'true' }, entry('p99', 'p99'), entry('p50', 'p50'), [
    budgetMs !== null && entry('budget', 'budget'),
  ]);
}

function latencyTable(history: History): Element {
  const { ends, p50Ms, p99Ms, messages, late } = history;
  const rows = ends.map((end, index) => ({ end, index }));
  const at = (values: readonly (number | null)[], index: number) => values[index] ?? null;
  return table({
    caption: `Messages and their time, each ${history.stepSeconds} s of the last hour, the newest first; steps without messages are left out`,
    rows: rows.filter(({ index }) => (messages[index] ?? 0) > 0).toReversed(),
    keyOf: ({ end }) => String(end),
    columns: [
      { heading: 'Until (UTC)', cell: ({ end }) => clock(end) },
      { heading: 'p50', isNumber: true, cell: ({ index }) => formatMilliseconds(at(p50Ms, index)) },
      { heading: 'p99', isNumber: true, cell: ({ index }) => formatMilliseconds(at(p99Ms, index)) },
      { heading: 'Messages', isNumber: true, cell: ({ index }) => formatCount(messages[index] ?? 0) },
      { heading: 'Late', isNumber: true, cell: ({ index }) => formatCount(late[index] ?? 0) },
    ],
  });
}

/** Refusals by reason beside the charts; allowed handshakes are in the chart. */
export function reasonsView(reasons: readonly ReasonCount[]): Content {
  const refusals = reasons.filter(({ verdict }) => verdict !== 'allow');
  if (refusals.length === 0) return empty('No handshake was refused or failed in the last hour.');
  return table<ReasonCount>({
    caption: 'Refused and failed handshakes of the last hour by reason, the most frequent first',
    class: 'reasons',
    keyOf: ({ verdict, reason }) => `${verdict} ${reason}`,
    rows: refusals,
    columns: [
      {
        heading: 'Reason, last hour',
        class: 'name',
        cell: ({ verdict, reason }) =>
          badge(
            verdict === 'deny' ? 'bad' : 'warning',
            verdict === 'deny' ? 'denied ' : 'failed ',
            code(reason ?? unknown),
          ),
      },
      { heading: 'Handshakes', isNumber: true, cell: ({ count }) => formatCount(count) },
    ],
  });
}

function figure({ id, name, summary, legend = null }: Figure): Element {
  return el(
    'figure',
    { class: `chart ${id}`, key: id },
    el('figcaption', {}, el('strong', {}, name), ' ', el('span', { class: 'dim' }, summary), legend),
    ownContent({ class: 'plot', 'data-chart': id, role: 'img', 'aria-label': `Chart: ${name}, ${summary}` }),
  );
}

/** The table is made when it is open: it has hundreds of rows. */
function details(id: string, name: string, isOpen: boolean, content: () => Element): Element {
  // It scrolls, so a keyboard must reach it.
  const region = { class: 'values', tabindex: '0', role: 'region', 'aria-label': name };
  return el(
    'details',
    { 'data-details': id, key: id },
    el('summary', {}, name),
    isOpen && el('div', region, content()),
  );
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
