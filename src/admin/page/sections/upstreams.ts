/** The section on upstream endpoints: which of them get messages. */
import type { UpstreamStatus } from '../../status-schema.ts';
import type { Content } from '../element.ts';
import { formatCount } from '../format.ts';
import { badge, below, code, dim, empty, type Mark, moment, table } from '../pieces.ts';

const states: Record<UpstreamStatus['state'], readonly [mark: Mark, word: string]> = {
  up: ['good', 'up'],
  partly: ['warning', 'not used by some threads'],
  down: ['bad', 'down'],
};

/** `now`: the gateway's clock, ms. */
export function upstreamsView(upstreams: readonly UpstreamStatus[], now: number): Content {
  if (upstreams.length === 0)
    return empty('No upstream endpoint is known yet.', 'The endpoints of the routes appear here.');
  return table<UpstreamStatus>({
    caption: 'Upstream endpoints with their state and connections',
    class: 'upstreams',
    keyOf: ({ url }) => url,
    rows: upstreams,
    columns: [
      { heading: 'Endpoint', class: 'name', cell: (endpoint) => endpointOf(endpoint, now) },
      { heading: 'State', cell: ({ state }) => badge(...(states[state] ?? ['unknown', state])) },
      { heading: 'Busy', isNumber: true, cell: ({ busyConnections }) => formatCount(busyConnections) },
      { heading: 'Idle', isNumber: true, cell: ({ idleConnections }) => formatCount(idleConnections) },
      { heading: 'Failures, 1 h', isNumber: true, cell: ({ failures }) => formatCount(failures) },
    ],
  });
}

function endpointOf({ url, lastFailure }: UpstreamStatus, now: number): Content {
  if (lastFailure === null) return code(url);
  const { time, reason, cause } = lastFailure;
  return [
    code(url),
    below(dim('last failure ', moment(time, now), ': ', code(reason), cause !== reason && ` (${cause})`)),
  ];
}
