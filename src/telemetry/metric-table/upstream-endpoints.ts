/** The metrics of upstream endpoints: connections, failures, health checks. */

export const upstreamEndpointsMetrics = [
  {
    name: 'ehi_upstream_connects_total',
    help: 'Connection attempts to upstream endpoints, for messages and for retries of an endpoint that is passed over, by result: ok; connect_failed; connect_timeout; upstream_tls: the gateway or the host refused TLS. With TLS 1.3 one connection may count twice, as ok and then as upstream_tls, because a host refuses the client certificate after the handshake.',
    type: 'counter',
    labels: ['endpoint', 'result'],
  },
  {
    name: 'ehi_upstream_message_failures_total',
    help: 'Messages that failed on an established upstream connection because of the host, by reason (docs/message-reasons.md). Failed connection attempts are in ehi_upstream_connects_total.',
    type: 'counter',
    labels: ['endpoint', 'reason'],
  },
  {
    name: 'ehi_upstream_checks_total',
    help: 'Health checks of upstream endpoints by result. Each relay thread runs its own checks.',
    type: 'counter',
    labels: ['endpoint', 'result'],
  },
  {
    name: 'ehi_upstream_ejections_total',
    help: 'Times that a relay thread began to pass an upstream endpoint over after failures: it prefers the other endpoints of the route.',
    type: 'counter',
    labels: ['endpoint'],
  },
  {
    name: 'ehi_upstream_up',
    help: '1: no relay thread passes the upstream endpoint over. 0: all do. Between: some do.',
    type: 'gauge',
    labels: ['endpoint'],
  },
  {
    name: 'ehi_upstream_connections',
    help: 'Open connections to upstream endpoints. state is idle or in_use.',
    type: 'gauge',
    labels: ['endpoint', 'state'],
  },
  {
    name: 'ehi_upstream_idle_limit_seconds',
    help: 'Maximum idle time of a connection to the endpoint: pool.idleTimeout, or less if the host announces or shows that it closes idle connections sooner.',
    type: 'gauge',
    labels: ['endpoint'],
  },
] as const;
