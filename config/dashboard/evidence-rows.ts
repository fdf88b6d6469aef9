/** Rows of the dashboard on what verdicts and evidence depend on: trust and revocation, audit and log. */
import { perSecond, type Row } from './panel.ts';

export const evidenceRows: readonly Row[] = [
  {
    title: 'Are trust and revocation fresh?',
    panels: [
      {
        title: 'Age of trust anchors',
        description:
          'Time since each anchor was last fetched, confirmed or read. Anchors from files are read at changes only. Above a day a fetched anchor is stale (alert EhiTrustStale).',
        kind: 'time',
        unit: 's',
        queries: [{ expr: 'max by (anchor) (ehi_trust_age_seconds{$gateway})', legend: '{{anchor}}' }],
      },
      {
        title: 'Anchors',
        description:
          'Whether the configuration pins the root of the anchor (1) or not (0), and certificates of the anchor that are not used because they have expired or cannot be used.',
        kind: 'table',
        unit: 'none',
        queries: [
          { expr: 'min by (anchor) (ehi_trust_root_pinned{$gateway})', legend: '{{anchor}} root pinned' },
          {
            expr: 'max by (anchor, reason) (ehi_trust_certificates_passed_over{$gateway}) > 0',
            legend: '{{anchor}} {{reason}}',
          },
        ],
      },
      {
        title: 'Time until CRLs and OCSP responses end',
        description:
          'Time until nextUpdate. Below zero the old one is used for revocation.grace longer; after that clients are refused unless onUnknown is allow (alert EhiRevocationEnded).',
        kind: 'time',
        unit: 's',
        queries: [
          {
            expr: 'min by (anchor, kind, address) (ehi_revocation_next_update_timestamp_seconds{$gateway}) - time()',
            legend: '{{kind}} {{address}}',
          },
        ],
        redBelow: 0,
      },
      {
        title: 'Age of CRLs and OCSP responses',
        description: 'Time since each was last fetched or confirmed.',
        kind: 'time',
        unit: 's',
        queries: [
          {
            expr: 'max by (anchor, kind, address) (ehi_revocation_age_seconds{$gateway})',
            legend: '{{kind}} {{address}}',
          },
        ],
      },
      {
        title: 'Failed attempts in a row',
        description:
          'Consecutive attempts that brought no usable CRL or OCSP response. Three fire the alert EhiRevocationFetchFails. The log says why.',
        kind: 'time',
        unit: 'short',
        queries: [
          {
            expr: 'max by (anchor, kind, address) (ehi_revocation_failures{$gateway})',
            legend: '{{kind}} {{address}}',
          },
        ],
        limits: [1, 3],
      },
      {
        title: 'Revocation status of clients',
        description:
          'Handshakes that passed every other check, by revocation status. unknown: no CRL or OCSP response gave the status (alert EhiRevocationUnknown).',
        kind: 'time',
        unit: 'cps',
        queries: [
          {
            expr: perSecond('ehi_revocation_checks_total', 'anchor, status'),
            legend: '{{anchor}} {{status}}',
          },
        ],
      },
      {
        title: 'Admitted without a status',
        description:
          'Open connections that only revocation.onUnknown: allow let in. A revoked certificate is accepted in this state (alert EhiRevocationSoftFailing).',
        kind: 'stat',
        unit: 'none',
        queries: [{ expr: 'sum(ehi_revocation_soft_failing{$gateway})', legend: 'connections' }],
        limits: [1, 1],
      },
      {
        title: 'CRL entries',
        description:
          'Revoked certificates in the CRLs in use, and entries that do not conform to RFC 5280. A sudden fall may mean that the CA was restored or rebuilt.',
        kind: 'time',
        unit: 'short',
        queries: [
          { expr: 'max by (anchor, address) (ehi_revocation_entries{$gateway})', legend: '{{address}}' },
          {
            expr: 'max by (anchor, address) (ehi_revocation_unclear_entries{$gateway}) > 0',
            legend: '{{address}} unclear',
          },
        ],
      },
    ],
  },
  {
    title: 'Are audit and log complete?',
    panels: [
      {
        title: 'Audit records lost in the time range',
        description:
          'Audit records that could not be written and are lost. The log names the error (alert EhiAuditRecordsLost).',
        kind: 'stat',
        unit: 'short',
        queries: [
          { expr: 'sum(increase(ehi_audit_records_lost_total{$gateway}[$__range]))', legend: 'lost' },
        ],
        limits: [1, 1],
      },
      {
        title: 'Cannot write for',
        description:
          'Time for which audit records cannot be written as configured. 0: they are written (alert EhiAuditFailing).',
        kind: 'stat',
        unit: 's',
        queries: [
          {
            expr: 'time() - min(ehi_audit_failing_since_timestamp_seconds{$gateway} > 0) or vector(0)',
            legend: 'failing',
          },
        ],
        limits: [1, 60],
      },
      {
        title: 'Seals that failed',
        description:
          'Seals that could not be made. Records are written without seals until a restart (alert EhiAuditSealFailed).',
        kind: 'stat',
        unit: 'short',
        queries: [{ expr: 'sum(ehi_audit_seal_failures_total{$gateway})', legend: 'failed' }],
        limits: [1, 1],
      },
      {
        title: 'Seals a second',
        description:
          'Seals written to the audit. None without audit.seal, and none while there is nothing to seal.',
        kind: 'time',
        unit: 'cps',
        queries: [{ expr: perSecond('ehi_audit_seals_total', 'instance'), legend: '{{instance}}' }],
      },
      {
        title: 'Age of the last seal',
        description:
          'Time since the last seal. It grows while there is nothing to seal; while messages arrive it stays below a few seconds (alert EhiAuditSealLate).',
        kind: 'time',
        unit: 's',
        queries: [
          {
            expr: 'time() - (ehi_audit_last_seal_timestamp_seconds{$gateway} > 0)',
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Audit records that wait',
        description:
          'Bytes of audit records that wait to be written. Beyond 64 MiB further records are lost.',
        kind: 'time',
        unit: 'bytes',
        queries: [{ expr: 'max by (instance) (ehi_audit_queue_bytes{$gateway})', legend: '{{instance}}' }],
        limits: [1_048_576, 67_108_864],
      },
      {
        title: 'Rotation and truncation',
        description:
          'Rotations by the gateway, rotations that failed, and how often something else shortened the open file, such as copytruncate (alerts EhiAuditRotationFails and EhiAuditTruncated).',
        kind: 'time',
        unit: 'short',
        queries: [
          {
            expr: 'sum(increase(ehi_audit_rotations_total{$gateway}[$__rate_interval]))',
            legend: 'rotated',
          },
          {
            expr: 'sum(increase(ehi_audit_rotation_failures_total{$gateway}[$__rate_interval]))',
            legend: 'rotation failed',
          },
          {
            expr: 'sum(increase(ehi_audit_truncations_total{$gateway}[$__rate_interval]))',
            legend: 'shortened by something else',
          },
        ],
      },
      {
        title: 'Log lines and spans dropped',
        description:
          'Lines of the operational log that stderr did not accept (alert EhiLogLinesDropped), lines collapsed because they repeat, and spans that were not exported, by reason (docs/tracing.md).',
        kind: 'time',
        unit: 'cps',
        queries: [
          { expr: perSecond('ehi_log_lines_dropped_total', 'instance'), legend: 'log lines {{instance}}' },
          { expr: perSecond('ehi_log_lines_collapsed_total', 'instance'), legend: 'collapsed {{instance}}' },
          { expr: perSecond('ehi_spans_dropped_total', 'reason'), legend: 'spans {{reason}}' },
        ],
      },
    ],
  },
];
