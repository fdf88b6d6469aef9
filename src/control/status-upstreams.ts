/** The part of the status document on the upstreams: the state of each endpoint, its idle and busy connections, failures. */
import type { UpstreamStatus } from '../admin/status-schema.ts';
import type { EndpointState } from '../telemetry/endpoint-report.ts';
import type { TrafficHistory } from '../telemetry/traffic-history.ts';

export function upstreamOf(endpoint: EndpointState, history: TrafficHistory): UpstreamStatus {
  const { url, state, connections, latestFailure } = endpoint;
  // The only endpoint of a route is never passed over.
  const isUnreachable = history.isUnreachable(url) && connections.idle + connections.in_use === 0;
  return {
    url,
    state: isUnreachable
      ? 'down'
      : ({ used: 'up', partly_used: 'partly', passed_over: 'down' } as const)[state],
    idleConnections: connections.idle,
    busyConnections: connections.in_use,
    failures: history.failures(url),
    lastFailure: latestFailure,
  };
}
