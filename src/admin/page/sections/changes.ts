/** The section on recent changes: what became different before something went wrong. */
import type { Change } from '../../status-schema.ts';
import type { Content } from '../element.ts';
import { formatCount } from '../format.ts';
import { below, dim, empty, moment, shorten, table } from '../pieces.ts';
import type { ListOptions } from './refused.ts';

const most = 8;

const kinds: Record<Change['kind'], string> = {
  config: 'Configuration',
  trust: 'Trust',
  revocation: 'Revocation',
  keys: 'Key set',
  thread: 'Relay thread',
  audit: 'Audit',
};

export function changesView(changes: readonly Change[], { now, isOpen }: ListOptions): Content {
  if (changes.length === 0)
    return empty(
      'Nothing has changed since the start.',
      'Reloads, new trust anchors and CRLs, and restarts of relay threads appear here.',
    );
  const { rows, button } = shorten(changes, { id: 'changes', isOpen, most });
  return [
    table<Change>({
      caption: 'Recent changes, the newest first',
      class: 'changes',
      keyOf: ({ time, kind, event, subject }) => `${time} ${kind} ${event} ${subject}`,
      rows,
      columns: [
        { heading: 'When', class: 'when', cell: ({ time }) => moment(time, now) },
        { heading: 'What', cell: whatChanged },
      ],
    }),
    button,
  ];
}

function whatChanged({ kind, event, subject, detail, count }: Change): Content {
  return [
    `${kinds[kind] ?? kind}: ${event.replaceAll('_', ' ')}`,
    subject !== null && ` (${subject})`,
    count > 1 && dim(`, ${formatCount(count)} times`),
    detail !== null && detail !== '' && below(detail),
  ];
}
