/** The metrics of revocation: checks, CRLs and OCSP answers. */

export const revocationMetrics = [
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
] as const;
