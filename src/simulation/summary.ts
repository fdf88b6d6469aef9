/** The result for a terminal: facts, failures by kind, and the histogram of the latency. */
import { printable } from '../foreign-text.ts';
import { type Failure, failures } from './outcomes.ts';
import type { FailureEntry, Latency, Result } from './result.ts';

/** `good`, `bad`, `caution`: how the terminal should mark it. */
export type Mark = 'good' | 'bad' | 'caution';
export type Paint = (mark: Mark | 'dim', text: string) => string;

const width = 40;

/** Several lines, without a newline at the end. */
export function formatSummary(result: Result, paint: Paint): string {
  const sections = [
    factLines(result, paint),
    failureLines(result, paint),
    histogramLines(result, paint),
    latencyLines(result),
  ].filter((lines) => lines.length > 0);
  return sections.map((lines) => lines.join('\n')).join('\n\n');
}

function factLines(result: Result, paint: Paint): string[] {
  const { messages, attempts, connections } = result;
  const types = Object.entries(messages.types).map(([type, count]) => `${count} ${type}`);
  const failed = Object.values(connections.failed).reduce((sum, count) => sum + count, 0);
  return [
    verdict(result, paint),
    `messages     ${messages.sent} (${types.join(', ')}), seed ${result.seed}`,
    `attempts     ${attempts.sent}, of which ${attempts.resent} re-sends; ${attempts.acknowledged} acknowledged`,
    rateLine(result, paint),
    `connections  ${connections.opened} opened, ${connections.most} at most at one time, ${failed} failed; p99 ${milliseconds(connections.open_ms.p99)} to open`,
  ];
}

function verdict({ messages, interrupted, seconds }: Result, paint: Paint): string {
  const { sent, acknowledged, lost, pending } = messages;
  const span = `${interrupted ? 'Interrupted after' : 'Finished in'} ${seconds.toFixed(1)} s: `;
  if (sent === 0) return span + paint('bad', 'no message was sent.');
  if (lost + pending === 0) return span + paint('good', `all ${sent} messages were acknowledged.`);
  const parts = [
    ...(lost > 0 ? [`${lost} never acknowledged`] : []),
    ...(pending > 0 ? [`${pending} not acknowledged yet`] : []),
  ];
  return span + paint('bad', `${acknowledged} of ${sent} messages were acknowledged, ${parts.join(', ')}.`);
}

function rateLine({ rate }: Result, paint: Paint): string {
  const line = `rate         ${rate.achieved.toFixed(1)}/s of ${rate.asked}/s`;
  if (rate.kept) return line;
  const reasons = [
    ...(rate.behind > 0
      ? [
          `${rate.behind} ${rate.behind === 1 ? 'message was' : 'messages were'} sent more than 10 ms late, at most ${milliseconds(rate.max_lag_ms)}`,
        ]
      : []),
    ...(rate.limited > 0 ? [`${rate.limited} attempts waited because of --max-connections`] : []),
  ];
  return `${line}\n${paint('caution', `This machine did not keep the rate: ${reasons.join('; ')}.`)}`;
}

function failureLines({ attempts }: Result, paint: Paint): string[] {
  const entries = Object.entries(attempts.failures) as [Failure, FailureEntry][];
  const rows = entries.map(([failure, { count, details }]) => {
    const named = Object.entries(details).map(([detail, times]) => `${printable(detail)}: ${times}`);
    return [String(count), failure, failures[failure] + (named.length > 0 ? ` (${named.join(', ')})` : '')];
  });
  if (attempts.doubled > 0)
    rows.push([
      String(attempts.doubled),
      'doubled',
      'a second answer, or other bytes that belong to no message',
    ]);
  if (rows.length === 0) return [];
  const countWidth = Math.max(...rows.map(([count = '']) => count.length));
  const nameWidth = Math.max(...rows.map(([, name = '']) => name.length));
  return [
    'Attempts that failed, by kind:',
    ...rows.map(
      ([count = '', name = '', says = '']) =>
        `  ${paint('bad', count.padStart(countWidth))}  ${name.padEnd(nameWidth)}  ${says}`,
    ),
  ];
}

function histogramLines({ histogram, attempts }: Result, paint: Paint): string[] {
  if (histogram.length === 0) return [];
  const most = Math.max(...histogram.map(({ count }) => count));
  const rows = histogram.map(({ from_ms, to_ms, count }) => {
    const range =
      to_ms === null ? `${from_ms} ms and longer` : `${String(from_ms).padStart(5)} – ${to_ms} ms`;
    return { range, count, bar: bar(count / most) };
  });
  if (attempts.unanswered > 0) rows.push({ range: 'no answer', count: attempts.unanswered, bar: '' });
  const rangeWidth = Math.max(...rows.map(({ range }) => range.length));
  const countWidth = Math.max(...rows.map(({ count }) => String(count).length));
  return [
    'Latency from the schedule:',
    ...rows.map(({ range, count, bar }) =>
      `  ${range.padEnd(rangeWidth)}  ${String(count).padStart(countWidth)}  ${paint('dim', bar)}`.trimEnd(),
    ),
  ];
}

/** `share` of the width, with at least an eighth of a column for what occurred. */
function bar(share: number): string {
  if (share === 0) return '';
  const eighths = Math.max(1, Math.round(share * width * 8));
  const rest = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  return '█'.repeat(Math.floor(eighths / 8)) + rest;
}

/** The two measures beside each other. */
function latencyLines({ latency_ms: { from_schedule, from_send } }: Result): string[] {
  const names = ['p50', 'p90', 'p99', 'p99_9', 'max'] as const;
  const line = (label: string, latency: Latency) =>
    `${label.padEnd(20)}${names.map((name) => `${name.replace('_', '.')} ${milliseconds(latency[name])}`).join('  ')}`;
  return [
    line('from the schedule', from_schedule),
    line('from the send', from_send),
    'From the schedule: since the message was due, the wait for a connection included. From the send: since its first byte.',
  ];
}

/** `1.23 ms`; null: among the attempts without an answer. */
export function milliseconds(value: number | null): string {
  return value === null ? 'no answer' : `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}
