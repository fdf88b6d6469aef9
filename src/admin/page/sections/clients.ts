/** The section on authorized clients: whose certificate ends first. */
import type { ClientStatus } from '../../status-schema.ts';
import { soon, verySoon } from '../attention.ts';
import type { Content } from '../element.ts';
import { formatDate, formatDaysLeft } from '../format.ts';
import { badge, below, code, dim, empty, type Mark, moment, shorten, table } from '../pieces.ts';
import type { ListOptions } from './refused.ts';

const most = 15;

export function clientsView(clients: readonly ClientStatus[], { now, isOpen }: ListOptions): Content {
  if (clients.length === 0)
    return empty(
      'No client has been authorized since the start.',
      'A client appears here with its first accepted handshake.',
    );
  const { rows, button } = shorten(clients, { id: 'clients', isOpen, most });
  return [
    table<ClientStatus>({
      caption: 'Authorized client certificates, those that end first at the top',
      class: 'clients',
      keyOf: ({ issuer, serial }) => `${issuer} ${serial}`,
      rows,
      columns: [
        {
          heading: 'Client',
          class: 'name',
          cell: ({ subject, serial }) => [subject, below(dim('serial ', code(serial)))],
        },
        { heading: 'Issuer', class: 'name', cell: ({ issuer }) => issuer ?? 'unknown' },
        { heading: 'Last seen', cell: ({ lastSeen }) => moment(lastSeen, now) },
        { heading: 'Ends', cell: ({ notAfter }) => endOf(notAfter, now) },
      ],
    }),
    button,
  ];
}

/** Days left as a state, with the date. */
export function endOf(notAfter: string, now: number): Content {
  const end = Date.parse(notAfter);
  return [badge(markOf(end, now), formatDaysLeft(end, now)), ' ', dim(formatDate(end))];
}

export function markOf(end: number, now: number): Mark {
  if (end - now < verySoon) return 'bad';
  return end - now < soon ? 'warning' : 'good';
}
