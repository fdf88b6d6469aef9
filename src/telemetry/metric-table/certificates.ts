/** The metrics of certificates: when they end, and when those of clients were last seen. */

export const certificatesMetrics = [
  {
    name: 'ehi_client_last_handshake_timestamp_seconds',
    help: 'Unix time of the last admitted handshake, by anchor and by the CA that issued the client certificate; at most 100 CAs.',
    type: 'gauge',
    labels: ['anchor', 'issuer', 'issuer_sha256'],
  },
  {
    name: 'ehi_certificate_not_after_timestamp_seconds',
    help: 'Unix time at which a certificate expires: the server chain, the anchors, and the 100 authorized client certificates that expire first. A client certificate that was not seen for a day is dropped once it has expired or its subject has a later one.',
    type: 'gauge',
    labels: ['role', 'name', 'serial'],
  },
  {
    name: 'ehi_client_certificate_last_seen_timestamp_seconds',
    help: 'Unix time at which a client certificate was last authorized, at a handshake or when a reload authorized an open connection again: those of ehi_certificate_not_after_timestamp_seconds with the role client.',
    type: 'gauge',
    labels: ['name', 'serial'],
  },
] as const;
