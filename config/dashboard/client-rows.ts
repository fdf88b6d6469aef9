/** Rows of the dashboard on clients: who is refused and why, what expires when. */
import { perSecond, type Row } from './panel.ts';

export const clientRows: readonly Row[] = [
  {
    title: 'Who is refused, and why?',
    panels: [
      {
        title: 'Connections by verdict',
        description:
          'allow: the client was admitted. deny: the gateway refused the client. failed: the connection ended before the gateway decided.',
        kind: 'time',
        unit: 'cps',
        queries: [{ expr: perSecond('ehi_handshakes_total', 'verdict'), legend: '{{verdict}}' }],
      },
      {
        title: 'Refused, by reason',
        description:
          'Connections that the gateway refused. docs/deny-reasons.md says for each reason what happened and what to do; the audit records name the clients.',
        kind: 'time',
        unit: 'cps',
        queries: [
          { expr: perSecond('ehi_handshakes_total', 'reason', ',verdict="deny"'), legend: '{{reason}}' },
        ],
      },
      {
        title: 'Failed, by reason',
        description:
          'Connections that ended before the gateway decided on the client. closed_silent, not_tls and plain_http come from health checks and port scans as a rule. docs/deny-reasons.md explains each.',
        kind: 'time',
        unit: 'cps',
        queries: [
          { expr: perSecond('ehi_handshakes_total', 'reason', ',verdict="failed"'), legend: '{{reason}}' },
        ],
      },
      {
        title: 'Not admitted in the time range',
        description: 'Connections in the time range of the dashboard that were refused or failed, by reason.',
        kind: 'table',
        unit: 'short',
        queries: [
          {
            expr: 'sum by (verdict, reason) (increase(ehi_handshakes_total{$gateway,verdict!="allow"}[$__range])) > 0',
            legend: '{{verdict}} {{reason}}',
          },
        ],
      },
      {
        title: 'Time to the verdict',
        description: 'From accept to the verdict, for connections whose handshake began.',
        kind: 'time',
        unit: 's',
        queries: [0.5, 0.99].map((q) => ({
          expr: `histogram_quantile(${q}, sum by (le) (rate(ehi_handshake_seconds_bucket{$gateway}[$__rate_interval])))`,
          legend: `p${q * 100}`,
        })),
      },
      {
        title: 'Open connections that were closed',
        description:
          'Permits withdrawn: the client is no longer authorized, for example because it was revoked. TLS errors after the handshake. Closed because of what the client sent.',
        kind: 'time',
        unit: 'cps',
        queries: [
          { expr: perSecond('ehi_permits_withdrawn_total', 'reason'), legend: 'withdrawn: {{reason}}' },
          { expr: perSecond('ehi_tls_errors_total', 'reason'), legend: 'TLS: {{reason}}' },
          { expr: perSecond('ehi_connections_closed_total', 'reason'), legend: 'closed: {{reason}}' },
        ],
      },
      {
        title: 'Rehearsed policy',
        description:
          'Reasons for which the shadow policy would have refused handshakes. Empty without a shadow policy. docs/trust.md describes the rehearsal.',
        kind: 'time',
        unit: 'cps',
        queries: [{ expr: perSecond('ehi_shadow_denials_total', 'reason'), legend: '{{reason}}' }],
      },
    ],
  },
  {
    title: 'What expires when?',
    panels: [
      {
        title: 'Next expiry',
        description:
          'Time until the first certificate expires: of the server chain, of an anchor or of a client (alerts EhiCertificateExpiresIn60Days, 30Days and 7Days).',
        kind: 'stat',
        unit: 's',
        queries: [
          {
            expr: 'min(ehi_certificate_not_after_timestamp_seconds{$gateway}) - time()',
            legend: 'next',
          },
        ],
        redBelow: 7 * 86_400,
      },
      {
        title: 'Time left by certificate',
        description:
          'Time until each certificate expires, the first ones on top. The role says whose it is; of clients the 100 that expire first are shown.',
        kind: 'table',
        unit: 's',
        queries: [
          {
            expr: 'sort(min by (role, name, serial) (ehi_certificate_not_after_timestamp_seconds{$gateway}) - time())',
            legend: '{{role}} {{name}}',
          },
        ],
      },
      {
        title: 'Clients last seen',
        description:
          'Time since a client certificate was last authorized. A client that stopped is on the bottom.',
        kind: 'table',
        unit: 's',
        queries: [
          {
            expr: 'sort(time() - max by (name, serial) (ehi_client_certificate_last_seen_timestamp_seconds{$gateway}))',
            legend: '{{name}}',
          },
        ],
      },
      {
        title: 'Issuing CAs last seen',
        description:
          'Time since the last admitted handshake by the CA that issued the client certificate. A CA that is not used any more may be removed from the anchors.',
        kind: 'table',
        unit: 's',
        queries: [
          {
            expr: 'sort(time() - max by (anchor, issuer) (ehi_client_last_handshake_timestamp_seconds{$gateway}))',
            legend: '{{anchor}} {{issuer}}',
          },
        ],
      },
    ],
  },
];
