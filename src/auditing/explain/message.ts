/** One message of a connection, in words for an operator. */

import type { AuditRecord } from '../reading/records.ts';
import { messageReason } from './reason-text.ts';
import { type StepText, sentence } from './step-text.ts';

/** By `outcome` of a message record (docs/audit.md). */
const outcomes: Readonly<Record<string, string>> = {
  answered: 'answered by the host',
  denied: 'refused by the gateway',
  failed: 'not answered by the host; the gateway responded itself',
  cut: 'cut off: only a part of the response was sent',
  client_gone: 'the client closed the connection before the response was complete',
};

/** `budgetMs`: a message that took longer is late, milliseconds. */
export function describeMessage(record: AuditRecord, budgetMs: number): StepText {
  const { request_id: id, method, path, status, outcome, reason, total_ms: total } = record;
  const what = `${method ?? 'request'}${path == null ? '' : ` ${path}`}`;
  const got = status == null ? 'no response' : `status ${status}`;
  const how = outcomes[String(outcome)] ?? String(outcome);
  const late = outcome !== 'denied' && typeof total === 'number' && total > budgetMs ? ', LATE' : '';
  return {
    title: `Message ${id}: ${what}: ${got}, ${how}${reason == null ? '' : ` (${reason})`}${late}`,
    details: [...whyLines(record), routeLine(record), ...timeLines(record, budgetMs)],
  };
}

function whyLines({ reason, outcome }: AuditRecord): string[] {
  if (outcome === 'client_gone')
    return ['Client side: see the client’s own log, and compare its timeout with the times below.'];
  if (typeof reason !== 'string') return [];
  const text = messageReason(reason);
  if (text === null)
    return [`What happened: this version of the command does not know the reason ${reason}.`];
  return [
    `What happened: ${sentence(text.says)}`,
    ...(text.client === null ? [] : [`Client side: ${sentence(text.client)}`]),
    ...(text.gateway === null ? [] : [`Gateway side: ${sentence(text.gateway)}`]),
  ];
}

function routeLine({ route, endpoint, upstream_reused: reused, ...rest }: AuditRecord): string {
  const connection =
    reused === true
      ? ' over an open connection that was used again'
      : reused === false
        ? ' over a new connection'
        : '';
  const host = endpoint == null ? 'no connection to the host' : `host ${endpoint}${connection}`;
  const bytes = `request ${rest.request_bytes ?? 0} bytes, response ${rest.response_bytes ?? 0} bytes`;
  return `Way: ${route == null ? 'no route was chosen' : `route ${route}`}, ${host}; ${bytes}.`;
}

function timeLines({ upstream_ms: host, total_ms: total, outcome }: AuditRecord, budgetMs: number): string[] {
  if (typeof total !== 'number') return ['Time: it was not forwarded, so no time was measured.'];
  const late =
    outcome !== 'denied' && total > budgetMs ? ` That is more than the budget of ${budgetMs} ms.` : '';
  if (typeof host !== 'number')
    return [`Time: ${total} ms until it ended; the response of the host was not complete by then.${late}`];
  const rest = Math.max(0, Math.round((total - host) * 1000) / 1000);
  const where = host >= rest ? 'Most of it was spent at the host.' : 'Most of it was spent after the host.';
  return [
    `Time: ${total} ms. Of these ${host} ms until the host’s response was complete (to connect included), and ${rest} ms until the rest was given to the client’s connection. ${where}${late}`,
  ];
}
