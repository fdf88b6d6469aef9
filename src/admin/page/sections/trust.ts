/** The sections on trust anchors and on revocation sources: how old each is, and what failed last. */
import type { AnchorStatus, RevocationStatus } from '../../status-schema.ts';
import type { Content } from '../element.ts';
import { formatCount, formatSpan, plural, unknown } from '../format.ts';
import { badge, below, code, dim, empty, moment, shorten, table } from '../pieces.ts';
import type { ListOptions } from './refused.ts';

const sources: Record<NonNullable<AnchorStatus['source']>, string> = {
  url: 'its URL',
  cache: 'the cache',
  files: 'files',
};

/** `now`: the gateway's clock, ms. */
export function anchorsView(anchors: readonly AnchorStatus[], now: number): Content {
  if (anchors.length === 0)
    return empty('No trust anchor is loaded yet.', 'Until one is, no client is authorized.');
  return table<AnchorStatus>({
    caption: 'Trust anchors with their age and last error',
    class: 'anchors',
    keyOf: ({ name }) => name,
    rows: anchors,
    columns: [
      { heading: 'Trust anchor', class: 'name', cell: ({ name }) => name },
      {
        heading: 'Refreshed',
        cell: ({ refreshedAt, source }) => [
          moment(refreshedAt, now),
          source !== null && below(dim(`from ${sources[source] ?? source}`)),
        ],
      },
      { heading: 'Certificates', cell: certificatesOf },
      { heading: 'State', class: 'state', cell: anchorState },
    ],
  });
}

function certificatesOf({ certificates, passedOver, rootPinned }: AnchorStatus): Content {
  return [
    formatCount(certificates),
    passedOver > 0 && below(dim(`${formatCount(passedOver)} not used`)),
    below(dim(rootPinned ? 'root pinned' : 'root not pinned')),
  ];
}

function anchorState({ source, pendingRoot, lastError }: AnchorStatus): Content {
  if (source === null) return [badge('bad', 'not loaded'), lastError !== null && below(lastError)];
  if (lastError !== null) return [badge('warning', 'last refresh failed'), below(lastError)];
  if (pendingRoot) return [badge('warning', 'new root waits for approval')];
  return badge('good', 'fresh');
}

const most = 12;

/** Those that fail come first in the document. */
export function revocationView(sources: readonly RevocationStatus[], { now, isOpen }: ListOptions): Content {
  if (sources.length === 0)
    return empty(
      'No revocation source is in use.',
      'CRLs and OCSP responders appear here when an anchor or a client certificate names one.',
    );
  const { rows, button } = shorten(sources, { id: 'revocation', isOpen, most });
  return [
    table<RevocationStatus>({
      caption: 'Revocation sources with their age and last error',
      class: 'revocation',
      keyOf: ({ anchor, kind, address, subject, serial }) =>
        `${anchor} ${kind} ${address} ${subject} ${serial}`,
      rows,
      columns: [
        { heading: 'Source', class: 'name', cell: sourceOf },
        { heading: 'Refreshed', cell: ({ refreshedAt }) => moment(refreshedAt, now) },
        { heading: 'Ends', cell: ({ nextUpdate }) => moment(nextUpdate, now, unknown) },
        { heading: 'State', class: 'state', cell: (source) => revocationState(source, now) },
      ],
    }),
    button,
  ];
}

function sourceOf({ kind, address, subject, serial, anchor, entries }: RevocationStatus): Content {
  return [
    `${kind === 'crl' ? 'CRL' : 'OCSP'} `,
    code(address),
    subject !== null && below(subject),
    serial !== null && below(dim('serial ', code(serial))),
    below(dim(`anchor ${anchor}${entries === null ? '' : `, ${plural(entries, 'entry', 'entries')}`}`)),
  ];
}

function revocationState(source: RevocationStatus, now: number): Content {
  const { refreshedAt, nextUpdate, failures, lastError } = source;
  const error = lastError !== null && below(lastError);
  if (nextUpdate !== null && Date.parse(nextUpdate) < now)
    return [badge('bad', `ended ${formatSpan(now - Date.parse(nextUpdate))} ago`), error];
  if (failures > 0) return [badge('warning', `${formatCount(failures)} × failed`), error];
  if (refreshedAt === null) return [badge('unknown', 'not fetched yet'), error];
  return badge('good', 'fresh');
}
