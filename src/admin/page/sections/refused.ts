/** The section on the last refused and failed handshakes: who, why, and what to do. */
import type { RefusedHandshake } from '../../status-schema.ts';
import { adviceParts, splitDetail } from '../advice.ts';
import { type Content, type Element, el } from '../element.ts';
import { formatCount } from '../format.ts';
import { badge, below, code, dim, empty, moment, shorten, table } from '../pieces.ts';

export interface ListOptions {
  /** The gateway's clock, ms. */
  readonly now: number;
  /** Whether all rows are shown. */
  readonly isOpen: boolean;
}

const most = 10;

export function refusedView(refused: readonly RefusedHandshake[], { now, isOpen }: ListOptions): Content {
  if (refused.length === 0)
    return empty(
      'No handshake was refused or failed so far.',
      'Each one appears here with its reason and with what to do about it.',
    );
  const { rows, button } = shorten(refused, { id: 'refused', isOpen, most });
  return [
    table<RefusedHandshake>({
      caption: 'The last refused and failed handshakes, the newest first',
      class: 'refused',
      // A repeated one gets the connection of the last time.
      keyOf: ({ sourceAddress, reason, detail, subject }) =>
        `${sourceAddress} ${reason} ${detail} ${subject}`,
      rows,
      columns: [
        { heading: 'When', class: 'when', cell: ({ time }) => moment(time, now) },
        { heading: 'Who', class: 'who', cell: who },
        { heading: 'Why, and what to do', class: 'why', cell: why },
      ],
    }),
    button,
  ];
}

function who({ sourceAddress, subject, issuer, connId, count }: RefusedHandshake): Content {
  return [
    sourceAddress === null ? 'address not known' : code(sourceAddress),
    count > 1 && el('strong', {}, ` × ${formatCount(count)}`),
    dim(' connection ', code(connId)),
    subject === null ? below(dim('no client certificate was read')) : below(subject),
    issuer !== null && below(dim('issued by ', issuer)),
  ];
}

/** The advice of the detail is more precise than that of the table of reasons. */
function why({ verdict, reason, detail, says, advice }: RefusedHandshake): Content {
  const { what, advice: own } = splitDetail(detail ?? says);
  const text = what.replace(advice, '').trim();
  const mark: Element =
    verdict === 'deny' ? badge('bad', 'denied ', code(reason)) : badge('warning', 'failed ', code(reason));
  const parts = adviceParts(own === '' ? advice : own).map(({ label, text }) =>
    el('div', { class: 'advice', key: label }, el('strong', {}, `${label}: `), text),
  );
  return [mark, text !== '' && below(text), parts];
}
