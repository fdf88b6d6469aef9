/** The metrics of the policy that is rehearsed (`clients.shadow`, `trust.candidates`). */

export const shadowMetrics = [
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
] as const;
