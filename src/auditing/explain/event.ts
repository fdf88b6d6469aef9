/** An event of the gateway around a connection, in words for an operator. */
import {
  type EventSentence,
  keysSentences,
  revocationSentences,
  sentenceOf,
  trustSentences,
} from '../../audit/event-sentences.ts';
import type { AuditRecord } from '../reading/records.ts';
import { type StepText, sentence } from './step-text.ts';

/** `event` of the seals that matter to an operator; `sealed` does so only with lost records. */
const sealTexts: Readonly<Record<string, string>> = {
  started: 'a new chain of seals began: the gateway started, or its audit file was new',
  resumed: 'the gateway was restarted and went on with the same audit; connections before this ended',
  truncated: 'something else shortened the audit file; records may be missing',
  stopped: 'the gateway stopped in order; its connections ended',
};

export function describeEvent(record: AuditRecord): StepText {
  const { type, event, anchor, detail } = record;
  const details = detail == null ? [] : [`Detail: ${sentence(String(detail))}`];
  const of = anchor == null ? '' : ` of ${anchor}`;
  switch (type) {
    case 'trust':
      return { title: `Trust${of}: ${eventText(trustSentences, event)}`, details };
    case 'revocation':
      return {
        title: `Revocation${of}: ${eventText(revocationSentences, event)}`,
        details: [...(record.address == null ? [] : [`Source: ${record.address}`]), ...details],
      };
    case 'keys':
      return {
        title: `Key set ${record.source}: ${eventText(keysSentences, event)}`,
        details: [...keyDetails(record), ...details],
      };
    case 'thread':
      return {
        title: `Relay thread ${record.thread} died and was replaced: its connections were reset`,
        details: [
          ...details,
          'Its records of the last 50 ms are lost, and what had not ended has no record.',
        ],
      };
    case 'config':
      return { title: configTitle(record), details: configDetails(record) };
    default:
      return sealText(record);
  }
}

function keyDetails({ added, removed }: AuditRecord): string[] {
  const count = (keys: unknown) => (Array.isArray(keys) ? keys.length : 0);
  const [more, fewer] = [count(added), count(removed)];
  return more + fewer === 0 ? [] : [`Keys added: ${more}, removed: ${fewer}.`];
}

function eventText(sentences: Readonly<Record<string, EventSentence>>, event: unknown): string {
  const known = Object.hasOwn(sentences, String(event)) ? sentences[String(event)] : undefined;
  return known === undefined ? String(event) : sentenceOf(known);
}

function configTitle({ event, generation, problems }: AuditRecord): string {
  return event === 'reloaded'
    ? `The configuration was reloaded: policy generation ${generation}`
    : `A changed configuration was refused (${problems} problems): the previous one stays in use`;
}

function configDetails({ event, changed, fixed }: AuditRecord): string[] {
  if (event !== 'reloaded') return ['Gateway side: the log names each problem; correct the file and reload.'];
  const list = (paths: unknown) => (Array.isArray(paths) ? paths.join(', ') : '');
  return [
    ...(list(changed) === '' ? [] : [`Changed: ${list(changed)}.`]),
    ...(list(fixed) === '' ? [] : [`Takes effect only after a restart: ${list(fixed)}.`]),
  ];
}

function sealText({ event, lost, lines }: AuditRecord): StepText {
  const text = sealTexts[String(event)] ?? 'the audit was sealed';
  const gap =
    typeof lost === 'number' && lost > 0
      ? [`GAP: ${lost} records were lost before this seal; records of this connection may be among them.`]
      : [];
  const tail =
    event === 'resumed' && typeof lines === 'number' && lines > 0
      ? ['The gateway had not stopped in order (crash or kill): records of that moment may be missing.']
      : [];
  return { title: `Audit: ${text}`, details: [...gap, ...tail] };
}
