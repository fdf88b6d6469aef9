/** The result as an evidence page: facts, charts of latency and rate, failures. */
import { barChart, lineChart } from '../evidence/chart.ts';
import type { EvidencePage, Section } from '../evidence/page.ts';
import { type Failure, failures } from './outcomes.ts';
import { isDelivered, type Result } from './result.ts';
import { milliseconds } from './summary.ts';

/** `version`: of ehi-gateway. */
export function simulationPage(result: Result, version: string): EvidencePage {
  return {
    title: 'Simulation of EHI messages',
    subtitle: result.url,
    at: new Date(result.began),
    version,
    facts: factsOf(result),
    sections: [checks(result), ...charts(result), failureTable(result)],
  };
}

function factsOf(result: Result): EvidencePage['facts'] {
  const { messages, attempts, connections, rate } = result;
  return [
    ['Began', result.began],
    ['Duration', `${result.seconds.toFixed(1)} s${result.interrupted ? ', interrupted' : ''}`],
    [
      'Messages',
      Object.entries({ sent: messages.sent, ...messages.types })
        .map(counted)
        .join(', '),
    ],
    ['Attempts', `${attempts.sent}, of which ${attempts.resent} re-sends`],
    ['Rate', `${rate.achieved.toFixed(1)}/s of ${rate.asked}/s`],
    ['Timeout', `${result.timeout_ms} ms`],
    ['Format', `${result.format}${result.expect_continue ? ', Expect: 100-continue' : ''}`],
    ['Connections', `${result.connections_mode}: ${connections.opened} opened, ${connections.most} at most`],
    ['Seed', String(result.seed)],
  ];
}

function counted([name, count]: [string, number]): string {
  return `${count} ${name}`;
}

function checks(result: Result): Section {
  const { messages, rate, latency_ms, timeout_ms } = result;
  const { p99 } = latency_ms.from_schedule;
  return {
    kind: 'checks',
    heading: 'Result',
    checks: [
      {
        outcome: isDelivered(result) ? 'pass' : 'fail',
        name: 'Every message is acknowledged',
        fact: `${messages.acknowledged} of ${messages.sent}; ${messages.lost} lost, ${messages.pending} pending`,
      },
      {
        outcome: p99 !== null && p99 <= timeout_ms ? 'pass' : 'warn',
        name: 'The 99th percentile is within the timeout',
        fact: `${milliseconds(p99)} of ${timeout_ms} ms`,
      },
      {
        outcome: rate.kept ? 'pass' : 'warn',
        name: 'The sender kept the rate',
        fact: `${rate.behind} messages more than 10 ms late, at most ${milliseconds(rate.max_lag_ms)}`,
        ...(rate.kept ? {} : { hint: 'Run the simulation on a faster or idle machine.' }),
      },
    ],
  };
}

function charts({ histogram, series, latency_ms }: Result): Section[] {
  const bars = histogram.map(({ from_ms, to_ms, count }) => ({
    label: to_ms === null ? `${from_ms}+` : `${from_ms}–${to_ms}`,
    value: count,
  }));
  const { spans, step_seconds } = series;
  const points = (value: (span: (typeof spans)[number]) => number | null) =>
    spans.flatMap((span): [number, number][] => {
      const y = value(span);
      return y === null ? [] : [[span.second, y]];
    });
  const perSecond = (count: number) => count / step_seconds;
  const latency = [
    { name: 'p50', points: points(({ p50 }) => p50) },
    { name: 'p99', points: points(({ p99 }) => p99) },
    { name: 'max', points: points(({ max }) => max) },
  ];
  const rates = [
    { name: 'sent', points: points(({ sent }) => perSecond(sent)) },
    { name: 'failed', points: points(({ failed }) => perSecond(failed)) },
  ];
  return [
    {
      kind: 'chart',
      heading: 'Latency from the schedule, ms',
      svg: barChart({ label: 'Attempts by latency in milliseconds', unit: 'attempts', bars }),
    },
    {
      kind: 'chart',
      heading: 'Latency over time',
      svg: lineChart({ label: 'Latency over time', unit: 'ms', series: latency, xUnit: 's' }),
    },
    {
      kind: 'chart',
      heading: 'Attempts over time',
      svg: lineChart({ label: 'Attempts over time', unit: 'per second', series: rates, xUnit: 's' }),
    },
    {
      kind: 'table',
      heading: 'Percentiles',
      columns: ['', 'p50', 'p90', 'p99', 'p99.9', 'max'],
      rows: Object.entries(latency_ms).map(([name, { p50, p90, p99, p99_9, max }]) => [
        name === 'from_schedule' ? 'since the message was due' : 'since its first byte was sent',
        ...[p50, p90, p99, p99_9, max].map(milliseconds),
      ]),
    },
  ];
}

function failureTable({ attempts }: Result): Section {
  const rows = Object.entries(attempts.failures).map(([failure, { count, details }]) => [
    String(count),
    failure,
    failures[failure as Failure],
    Object.entries(details)
      .map(([detail, times]) => `${detail}: ${times}`)
      .join(', '),
  ]);
  if (attempts.doubled > 0)
    rows.push([
      String(attempts.doubled),
      'doubled',
      'a second answer, or other bytes that belong to no message',
      '',
    ]);
  return {
    kind: 'table',
    heading: 'Attempts that failed',
    columns: ['attempts', 'kind', 'meaning', 'details'],
    rows,
  };
}
