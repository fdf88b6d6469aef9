/** The `message` of an ECS line: one sentence on what happened, from the masked values of the record. */
import type { RecordType } from './ecs-table.ts';
import { type EventSentence, keysSentences, revocationSentences, trustSentences } from './event-sentences.ts';

/** A record in the json format. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** The values of a message record, as text. They may be JSON escapes: no value is changed. */
export interface MessageWords {
  readonly method: string | null;
  readonly path: string | null;
  readonly status: string | null;
  readonly outcome: string;
  readonly reason: string | null;
}

export function messageSentence({ method, path, status, outcome, reason }: MessageWords): string {
  const what = `${method ?? 'A request'}${path === null ? '' : ` ${path}`}`;
  const why = reason === null ? '' : ` (${reason})`;
  const got = status === null ? 'no response' : `status ${status}`;
  switch (outcome) {
    case 'answered':
      return `${what} was answered by the host with status ${status}.`;
    case 'denied':
      return `${what} was refused with ${got}${why}.`;
    case 'failed':
      return `${what} got no complete response of the host; the client got ${got}${why}.`;
    case 'cut':
      return `The response to ${what} was cut off after its begin with ${got}${why}.`;
    case 'client_gone':
      return `The client closed the connection before the response to ${what} was complete.`;
    default:
      return `${what} ended: ${outcome}${why}.`;
  }
}

/** For every type but `message`, whose fields are read as text (`messageSentence`). */
export function recordSentence(type: Exclude<RecordType, 'message'>, record: JsonRecord): string {
  const { reason, detail } = record;
  const source = record.source_address ?? 'an unknown address';
  const why = ` (${reason})${detail == null ? '' : `: ${detail}`}`;
  switch (type) {
    case 'handshake':
      if (record.verdict === 'allow') return `The client at ${source} was authorized.`;
      if (record.verdict === 'deny') return ended(`The client at ${source} was denied${why}`);
      return ended(`The handshake with ${source} failed${why}`);
    case 'verdict':
      return ended(`The open connection from ${source} was closed${why}`);
    case 'trust':
      return eventSentence('Trust anchor', record, trustSentences);
    case 'revocation':
      return eventSentence('Revocation for trust anchor', record, revocationSentences);
    case 'keys':
      return eventSentence('Key set', { ...record, anchor: record.source }, keysSentences);
    case 'thread':
      return `Relay thread ${record.thread} died and is replaced.`;
    case 'config':
      return record.event === 'reloaded'
        ? 'The configuration was reloaded.'
        : 'A changed configuration was refused; the previous one stays in use.';
    default:
      return type satisfies never;
  }
}

function eventSentence(
  what: string,
  { event, anchor }: JsonRecord,
  sentences: Readonly<Record<string, EventSentence>>,
): string {
  const says = sentences[String(event)]?.says ?? String(event);
  return `${what}${anchor == null ? '' : ` ${anchor}`}: ${says}.`;
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
