/** The one list of the gateway's metrics: the registry and `docs/metrics.md` are made from it. */

/** Node's process metrics come beside these. */
export const metricTable = [
  {
    name: 'ehi_handshakes_total',
    help: 'Connections by how their judgement ended; reason is none for allow.',
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
    name: 'ehi_messages_total',
    help: 'Messages by route and by the status that the client got.',
    type: 'counter',
    labels: ['route', 'code'],
  },
  {
    name: 'ehi_message_seconds',
    help: 'Time from the complete request head to the last byte of the answer.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_upstream_seconds',
    help: 'Time that the upstream took, for messages that were sent to it.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_overhead_seconds',
    help: 'Total less upstream time, for messages that were sent to it.',
    type: 'histogram',
    labels: ['route'],
  },
  {
    name: 'ehi_upstream_connects_total',
    help: 'Connections to upstream endpoints that were begun for messages or trials, by how that ended.',
    type: 'counter',
    labels: ['endpoint', 'result'],
  },
  {
    name: 'ehi_upstream_checks_total',
    help: 'Health checks of upstream endpoints, one series of them per relay thread.',
    type: 'counter',
    labels: ['endpoint', 'result'],
  },
  {
    name: 'ehi_upstream_ejections_total',
    help: 'How often a relay thread began to pass over an upstream endpoint.',
    type: 'counter',
    labels: ['endpoint'],
  },
  {
    name: 'ehi_upstream_up',
    help: '1: every relay thread uses the upstream endpoint; 0: all pass it over; between: some do.',
    type: 'gauge',
    labels: ['endpoint'],
  },
  {
    name: 'ehi_upstream_connections',
    help: 'Connections to upstream endpoints open now; state is idle or in_use.',
    type: 'gauge',
    labels: ['endpoint', 'state'],
  },
  { name: 'ehi_in_flight', help: 'Messages being exchanged now.', type: 'gauge', labels: [] },
  { name: 'ehi_connections', help: 'Client connections open now.', type: 'gauge', labels: [] },
  {
    name: 'ehi_revocation_checks_total',
    help: 'Handshakes of callers that nothing else spoke against, by what is known of revocation on their path.',
    type: 'counter',
    labels: ['anchor', 'status'],
  },
  {
    name: 'ehi_revocation_age_seconds',
    help: 'Time since a CRL or an OCSP answer was last fetched or confirmed; kind is crl or ocsp.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_next_update_timestamp_seconds',
    help: 'When the CRL or OCSP answer in use ends; after that it serves for revocation.grace.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_failures',
    help: 'Attempts in a row that brought no usable CRL or OCSP answer; 0: the last one did.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_entries',
    help: 'Revoked certificates in the CRL in use.',
    type: 'gauge',
    labels: ['anchor', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_addresses_skipped_total',
    help: 'Addresses that certificates name and that are never followed: other schemes than http and https, or beyond 16 of an anchor.',
    type: 'counter',
    labels: ['anchor'],
  },
  {
    name: 'ehi_revocation_soft_failing',
    help: 'Connections open now whose revocation is unknown, let in by revocation.onUnknown: allow. Alarm above 0.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_permits_withdrawn_total',
    help: 'Open connections whose client may no longer call, by reason.',
    type: 'counter',
    labels: ['reason'],
  },
  {
    name: 'ehi_shadow_handshakes_total',
    help: 'Handshakes by what the rehearsed policy would have said, beside the verdict that counted.',
    type: 'counter',
    labels: ['shadow', 'verdict'],
  },
  {
    name: 'ehi_shadow_denials_total',
    help: 'Every reason for which the rehearsed policy would have refused a handshake.',
    type: 'counter',
    labels: ['reason'],
  },
  {
    name: 'ehi_client_last_handshake_timestamp_seconds',
    help: 'When a client was last let in, by anchor and by the CA that signed its leaf; up to 100 CAs.',
    type: 'gauge',
    labels: ['anchor', 'issuer', 'issuer_sha256'],
  },
  {
    name: 'ehi_certificate_not_after_timestamp_seconds',
    help: 'When a certificate expires: server chain, anchors, and up to 100 authorised client leaves.',
    type: 'gauge',
    labels: ['role', 'name'],
  },
  {
    name: 'ehi_trust_age_seconds',
    help: 'Time since the anchor was last fetched or read.',
    type: 'gauge',
    labels: ['anchor'],
  },
  {
    name: 'ehi_trust_root_pinned',
    help: '1 where the configuration pins the root of the anchor, else 0.',
    type: 'gauge',
    labels: ['anchor'],
  },
  {
    name: 'ehi_config_last_reload_successful',
    help: '1 where the last change of the configuration was taken, 0 where it was refused and the one before stays.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration in use was read.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_relay_thread_restarts_total',
    help: 'Relay threads that died and were replaced.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_records_lost_total',
    help: 'Audit records that could not be written.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_build_info',
    help: 'Always 1; says what runs.',
    type: 'gauge',
    labels: ['version', 'node'],
  },
] as const;

export type MetricName = (typeof metricTable)[number]['name'];
