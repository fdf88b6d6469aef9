/** The explanation of a connection as text for a terminal. */

import { paint } from '../../terminal/colours.ts';
import { printable } from '../../terminal/printable.ts';
import type { Explained, FoundConnection } from './record-search.ts';
import type { Step, Story } from './steps.ts';

export function describeConnection(found: FoundConnection, story: Story, facts: Explained): string {
  const { connId, requestId, leftOutMessages, leftOutEvents } = found;
  const { steps, ending } = story;
  const width = Math.max(...steps.map((step) => offsetText(step).length));
  const what = requestId === null ? `Connection ${connId}` : `Message ${requestId} of connection ${connId}`;
  const lines = [
    paint('bold', what),
    `Times are UTC; offsets count from the accept of the connection. ${periodText(facts)}`,
    '',
    ...steps.flatMap((step) => stepLines(step, width)),
    '',
    `End: ${ending}`,
    ...(leftOutMessages > 0 ? [leftOutText(found)] : []),
    ...(leftOutEvents > 0 ? [`${leftOutEvents} more events of the gateway are not shown.`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Why nothing can be explained. Ends with a line break. */
export function describeNotFound(id: string, facts: Explained): string {
  const shown = printable(id);
  const lines = [`No record has the conn_id or request_id ${shown}. ${periodText(facts)}`];
  if (facts.suggestions.length > 0)
    lines.push(`Similar ids: ${facts.suggestions.map(printable).join(', ')}.`);
  else
    lines.push(
      'Give the files of the time in question, of every replica: the id of a request is X-Request-Id of the response or of the request to the host.',
    );
  return `${lines.join('\n')}\n`;
}

function periodText({ files, from, to, unreadable }: Explained): string {
  const count = files.length === 1 ? 'The file covers' : `The ${files.length} files cover`;
  const period =
    from === null || to === null ? `${count} no time: no line has one` : `${count} ${from} to ${to}`;
  return unreadable === 0 ? `${period}.` : `${period}; ${unreadable} lines cannot be read.`;
}

function leftOutText({ leftOutMessages, requestId, connId }: FoundConnection): string {
  return requestId === null
    ? `${leftOutMessages} more messages are not shown; all that were not answered are, up to 200.`
    : `The connection has ${leftOutMessages} more messages: ehi-gateway audit explain ${connId} FILES…`;
}

function stepLines(step: Step, width: number): string[] {
  const { time, title, details } = step;
  const text = printable(title);
  const shown = step.kind === 'event' ? paint('dim', `event: ${text}`) : paint('bold', text);
  return [
    `${time}  ${offsetText(step).padStart(width)}  ${shown}`,
    ...details.map((line) => `    ${printable(line)}`),
  ];
}

/** `+12.3 ms`, `+1.204 s`, `-3.000 s`. */
function offsetText({ offset_ms: ms }: Step): string {
  const sign = ms < 0 ? '-' : '+';
  const size = Math.abs(ms);
  return size < 1000 ? `${sign}${Math.round(size * 10) / 10} ms` : `${sign}${(size / 1000).toFixed(3)} s`;
}
