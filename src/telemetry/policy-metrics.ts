/** The metrics of revocation, of clients and the shadow policy, of certificates and trust anchors. */

export const policyMetrics = [
  {
    name: 'ehi_revocation_checks_total',
    help: 'Handshakes that passed every other check, by the revocation status of the certificate path.',
    type: 'counter',
    labels: ['anchor', 'status'],
  },
  {
    name: 'ehi_revocation_age_seconds',
    help: 'Time since a CRL or an OCSP answer was last fetched or confirmed. kind is crl or ocsp. For OCSP subject and serial identify the checked certificate; for a CRL subject is its issuer and serial is empty.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject', 'serial'],
  },
  {
    name: 'ehi_revocation_next_update_timestamp_seconds',
    help: 'Unix time at which the CRL or OCSP answer in use ends. It is then used for revocation.grace longer.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject', 'serial'],
  },
  {
    name: 'ehi_revocation_failures',
    help: 'Consecutive attempts that brought no usable CRL or OCSP answer. 0: the last attempt succeeded.',
    type: 'gauge',
    labels: ['anchor', 'kind', 'address', 'subject', 'serial'],
  },
  {
    name: 'ehi_revocation_entries',
    help: 'Revoked certificates in the CRL in use.',
    type: 'gauge',
    labels: ['anchor', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_unclear_entries',
    help: 'Entries of the CRL in use that do not conform to RFC 5280. Each counts as revoked. The detail of crl_fetched names the fault of the first.',
    type: 'gauge',
    labels: ['anchor', 'address', 'subject'],
  },
  {
    name: 'ehi_revocation_addresses_skipped_total',
    help: 'Revocation addresses in certificates that the gateway does not use: not http or https, not a valid URL, with credentials, or beyond 16 of an anchor.',
    type: 'counter',
    labels: ['anchor'],
  },
  {
    name: 'ehi_revocation_crl_restarts_total',
    help: 'CRLs accepted although their number, scope or issuer does not follow the previous CRL, whose grace had ended. Alert on any.',
    type: 'counter',
    labels: ['anchor'],
  },
  {
    name: 'ehi_revocation_soft_failing',
    help: 'Open connections whose revocation status is unknown and that revocation.onUnknown: allow let in. Alert above 0.',
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
  {
    name: 'ehi_shadow_handshakes_total',
    help: 'Handshakes by the verdict of the shadow policy (shadow) and by the enforced verdict (verdict).',
    type: 'counter',
    labels: ['shadow', 'verdict'],
  },
  {
    name: 'ehi_shadow_denials_total',
    help: 'Reasons for which the shadow policy would have denied a handshake. A handshake counts once for each of its reasons.',
    type: 'counter',
    labels: ['reason'],
  },
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
  {
    name: 'ehi_trust_age_seconds',
    help: 'Time since the anchor was last fetched, confirmed or read.',
    type: 'gauge',
    labels: ['anchor'],
  },
  {
    name: 'ehi_trust_root_pinned',
    help: '1 if the configuration pins the root of the anchor, else 0.',
    type: 'gauge',
    labels: ['anchor'],
  },
  {
    name: 'ehi_trust_certificates_passed_over',
    help: 'Certificates of the anchor that are not used, while its others are. reason is expired, not_yet_valid, unusable or unreadable. The audit record passed_over names each.',
    type: 'gauge',
    labels: ['anchor', 'reason'],
  },
] as const;
