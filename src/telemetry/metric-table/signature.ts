/** The metrics of `routes[].signature`: verdicts on the signatures of bodies. */

export const signatureMetrics = [
  {
    name: 'ehi_signature_verdicts_total',
    help: 'Messages on routes with signature, by the verdict on the signature of their body: allow, or the reason (docs/message-reasons.md). mode is enforce or shadow.',
    type: 'counter',
    labels: ['route', 'verdict', 'mode'],
  },
] as const;
