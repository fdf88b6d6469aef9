/** The metrics of client connections: handshakes, errors, and connections that the gateway ends. */

export const connectionsMetrics = [
  {
    name: 'ehi_handshakes_total',
    help: 'Connections by verdict and reason. reason is none for allow.',
    type: 'counter',
    labels: ['verdict', 'reason'],
  },
  {
    name: 'ehi_handshake_seconds',
    help: 'Time from accept to the verdict, for connections whose handshake began.',
    type: 'histogram',
    labels: [],
  },
  {
    name: 'ehi_tls_errors_total',
    help: 'Connections closed by a TLS error after the handshake, such as an alert from the client or a damaged record, by reason (docs/deny-reasons.md).',
    type: 'counter',
    labels: ['reason'],
  },
  { name: 'ehi_connections', help: 'Open client connections.', type: 'gauge', labels: [] },
  {
    name: 'ehi_unfinished_handshakes',
    help: 'Client connections whose TLS handshake is not finished, summed over all relay threads. limits.unfinishedHandshakes applies to each thread.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_permits_withdrawn_total',
    help: 'Open connections whose client is no longer authorized, by reason.',
    type: 'counter',
    labels: ['reason'],
  },
  {
    name: 'ehi_connections_closed_total',
    help: 'Open connections closed because of what the client sent, by reason. record_flood: more TLS records with little or no data than limits.smallRecords allows.',
    type: 'counter',
    labels: ['reason'],
  },
] as const;
