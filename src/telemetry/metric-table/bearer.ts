/** The metrics of `routes[].bearer`: verdicts on tokens, and introspection. */

export const bearerMetrics = [
  {
    name: 'ehi_bearer_verdicts_total',
    help: 'Messages on routes with bearer, by the verdict on their token: allow, or the reason (docs/message-reasons.md). mode is enforce or shadow.',
    type: 'counter',
    labels: ['route', 'verdict', 'mode'],
  },
  {
    name: 'ehi_introspection_requests_total',
    help: 'Requests to introspection endpoints by result: active, inactive, timeout, unreachable, status (not 200) or invalid (a response that RFC 7662 does not allow). Cached answers need no request.',
    type: 'counter',
    labels: ['result'],
  },
  {
    name: 'ehi_introspection_seconds',
    help: 'Time from the start of a request to an introspection endpoint to its result.',
    type: 'histogram',
    labels: [],
  },
] as const;
