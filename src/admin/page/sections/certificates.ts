/** The section on certificates: all on one time axis, those that end first at the top. */
import type { CertificateStatus } from '../../status-schema.ts';
import { type Content, type Element, el } from '../element.ts';
import { below, code, dim, empty, shorten, table } from '../pieces.ts';
import { type TimeAxis, timeAxis } from '../time-axis.ts';
import { endOf, markOf } from './clients.ts';
import type { ListOptions } from './refused.ts';

const most = 15;

const roles: Record<CertificateStatus['role'], string> = {
  server: 'Server',
  anchor: 'Trust anchor',
};

export function certificatesView(
  certificates: readonly CertificateStatus[],
  { now, isOpen }: ListOptions,
): Content {
  if (certificates.length === 0)
    return empty(
      'No certificate is loaded yet.',
      'The server’s chain and the CAs of the anchors appear here.',
    );
  const sorted = certificates.toSorted((one, other) => Date.parse(one.notAfter) - Date.parse(other.notAfter));
  const { rows, button } = shorten(sorted, { id: 'certificates', isOpen, most });
  const axis = timeAxis(
    rows.map(({ notAfter }) => Date.parse(notAfter)),
    now,
  );
  return [
    table<CertificateStatus>({
      caption: 'Certificates of the server and CAs of the trust anchors, those that end first at the top',
      class: 'certificates',
      keyOf: ({ role, name, serial }) => `${role} ${name} ${serial}`,
      rows,
      columns: [
        {
          heading: 'Certificate',
          class: 'name',
          cell: ({ name, serial }) => [name, below(dim('serial ', code(serial)))],
        },
        {
          heading: 'Used as',
          cell: ({ role, anchor }) => [roles[role] ?? role, anchor !== null && below(dim(anchor))],
        },
        { heading: 'Ends', cell: ({ notAfter }) => endOf(notAfter, now) },
        {
          heading: 'Time left',
          class: 'axis',
          head: scaleOf(axis),
          cell: ({ notAfter }) => bar(axis, Date.parse(notAfter), now),
        },
      ],
    }),
    button,
  ];
}

function scaleOf({ ticks }: TimeAxis): Element {
  return el(
    'div',
    { class: 'scale', 'aria-hidden': 'true' },
    ticks.map(({ label, at }) => el('span', { class: 'tick', '--at': at.toFixed(4), key: label }, label)),
  );
}

/** The column before it states the same as text. */
function bar(axis: TimeAxis, end: number, now: number): Element {
  return el(
    'div',
    { class: 'track', 'aria-hidden': 'true' },
    axis.ticks.map(({ label, at }) => el('i', { '--at': at.toFixed(4), key: label })),
    el('b', { class: markOf(end, now), '--at': axis.at(end).toFixed(4) }),
  );
}
