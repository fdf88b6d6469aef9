/** The metrics of trust anchors. */

export const trustAnchorsMetrics = [
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
