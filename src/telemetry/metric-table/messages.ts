/** The metrics of messages: their number, times and budgets. */

export const messagesMetrics = [
  {
    name: 'ehi_messages_total',
    help: 'Messages by route and response status. Code 499: the client closed the connection before the response began.',
    type: 'counter',
    labels: ['route', 'code'],
  },
  {
    name: 'ehi_message_seconds',
    help: 'Time from the complete request head to the last byte of the response.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_upstream_seconds',
    help: 'Time from the start of the upstream attempt to the complete response or to the failure; includes failed connection attempts. Excludes messages whose client left first, did not send its whole body or did not read the response.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_overhead_seconds',
    help: 'Total time minus upstream time, of the messages in ehi_upstream_seconds.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_message_budget_ratio',
    help: 'Total time of a message divided by the budget of its route. Above 1 the message was late. Excludes refused requests.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_messages_late_total',
    help: 'Messages without a complete response within the budget of their route: late, failed, cut, or abandoned by the client. Alert on its rate.',
    type: 'counter',
    labels: ['route'],
  },
  {
    name: 'ehi_messages_shed_total',
    help: 'Messages refused with 503 to shed load, before anything was sent upstream, because of audit.onFailure, limits.delay, limits.inFlightPerClient (route is none, because no route is chosen yet) or the inFlight limit of the route. Alert on its rate.',
    type: 'counter',
    labels: ['route', 'reason'],
  },
  {
    name: 'ehi_upstream_answers_without_content_type_total',
    help: 'Responses of the host that have a body and no Content-Type, which EHI requires.',
    type: 'counter',
    labels: ['route'],
  },
  { name: 'ehi_in_flight', help: 'Messages in flight.', type: 'gauge', labels: [] },
  {
    name: 'ehi_route_in_flight',
    help: 'Messages in flight by route, summed over all relay threads. The inFlight limit of the route applies to each thread.',
    type: 'gauge',
    labels: ['route'],
  },
] as const;
