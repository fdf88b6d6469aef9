/** The section on key sets: where each comes from, how old it is, how many keys it has, and what is wrong with it. */
import type { KeySetStatus } from '../../status-schema.ts';
import type { Content } from '../element.ts';
import { formatCount } from '../format.ts';
import { badge, below, code, dim, empty, moment, table } from '../pieces.ts';

/** `now`: the gateway's clock, ms. */
export function keySetsView(keySets: readonly KeySetStatus[], now: number): Content {
  if (keySets.length === 0)
    return empty(
      'No key set is configured.',
      'Sets appear here when a route has bearer or signature, or clients has registered, with jwks.',
    );
  return table<KeySetStatus>({
    caption: 'Key sets with their age, their keys and their last error',
    class: 'key-sets',
    keyOf: ({ source }) => source,
    rows: keySets,
    columns: [
      { heading: 'Key set', class: 'name', cell: ({ source }) => code(source) },
      { heading: 'Refreshed', cell: ({ refreshedAt }) => moment(refreshedAt, now) },
      { heading: 'Keys', cell: keysOf },
      { heading: 'State', class: 'state', cell: keySetState },
    ],
  });
}

function keysOf({ keys, passedOver, usable }: KeySetStatus): Content {
  return [
    formatCount(keys),
    usable !== null && usable < keys && below(dim(`${formatCount(usable)} for its use`)),
    passedOver > 0 && below(dim(`${formatCount(passedOver)} not used`)),
  ];
}

function keySetState({ refreshedAt, lack, lastError }: KeySetStatus): Content {
  const error = lastError !== null && below(lastError);
  if (refreshedAt === null) return [badge('bad', 'never read'), error];
  if (lack !== null) return [badge('bad', 'no usable key'), below(lack), error];
  if (lastError !== null) return [badge('warning', 'last refresh failed'), error];
  return badge('good', 'fresh');
}
