/** What happened to a connection, step by step, in words for an operator. */

import type { AuditRecord } from '../reading/records.ts';
import { describeEvent } from './event.ts';
import { describeHandshake, describeLiveVerdict } from './handshake.ts';
import { describeMessage } from './message.ts';
import { beginOf, type FoundConnection, timeOf } from './record-search.ts';

export interface Step {
  /** ISO 8601, UTC: when it began. */
  readonly time: string;
  /** Milliseconds since the connection was accepted, or since the first record if that is not known. */
  readonly offset_ms: number;
  /** `event`: of the gateway, in the same span of time. */
  readonly kind: 'handshake' | 'message' | 'verdict' | 'event';
  readonly title: string;
  /** Sentences. */
  readonly details: readonly string[];
}

export interface Story {
  readonly steps: readonly Step[];
  /** How the connection ended, as far as the records say. */
  readonly ending: string;
}

/** Steps in the order in which they began. `budgetMs`: a message that took longer is late, milliseconds. */
export function storyOf(
  { records, events }: FoundConnection,
  { budgetMs }: { readonly budgetMs: number },
): Story {
  const handshake = records.find(({ type }) => type === 'handshake');
  const origin = handshake === undefined ? Math.min(...records.map(beginOf)) : beginOf(handshake);
  const steps = [...records, ...events].map((record): Step => {
    const begin = beginOf(record);
    return {
      time: new Date(begin).toISOString(),
      offset_ms: Math.round((begin - origin) * 1000) / 1000,
      ...textOf(record, budgetMs),
    };
  });
  return { steps: steps.sort((a, b) => a.offset_ms - b.offset_ms), ending: endingOf(records, events) };
}

function textOf(record: AuditRecord, budgetMs: number): Omit<Step, 'time' | 'offset_ms'> {
  switch (record.type) {
    case 'handshake':
      return { kind: 'handshake', ...describeHandshake(record) };
    case 'verdict':
      return { kind: 'verdict', ...describeLiveVerdict(record) };
    case 'message':
      return { kind: 'message', ...describeMessage(record, budgetMs) };
    default:
      return { kind: 'event', ...describeEvent(record) };
  }
}

function endingOf(records: readonly AuditRecord[], events: readonly AuditRecord[]): string {
  const handshake = records.find(({ type }) => type === 'handshake');
  const last = records.reduce((latest, each) => (timeOf(each) >= timeOf(latest) ? each : latest));
  if (records.some(({ type }) => type === 'verdict'))
    return 'The gateway closed the connection because of the later verdict.';
  if (handshake?.verdict === 'failed') return 'The connection ended with the failed handshake.';
  if (handshake?.verdict === 'deny') return 'The gateway refused the client and closed the connection.';
  if (last.outcome === 'client_gone') return 'The client closed the connection.';
  if (last.outcome === 'cut') return 'The gateway reset the connection, because the response was incomplete.';
  const died = events.some(({ type, time }) => type === 'thread' && Date.parse(String(time)) >= timeOf(last));
  const open =
    'No record states how the connection ended: it was closed in order after the last step, or was still open when these files end.';
  if (died)
    return `${open} Or it was reset when the relay thread died (see the event): the records do not say which thread had it.`;
  if (handshake !== undefined) return open;
  return `${open} Its handshake record is not in these files: give the earlier files too.`;
}
