/** The metrics of the audit records, their seals and the rotation of their file. */

export const auditMetrics = [
  {
    name: 'ehi_audit_records_lost_total',
    help: 'Audit records that could not be written and are lost.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_queue_bytes',
    help: 'Bytes of audit records that wait to be written. Beyond 64 MiB further records are lost.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_audit_failing_since_timestamp_seconds',
    help: 'Unix time since which audit records cannot be written as configured. 0: they can. Alert above 0.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_audit_seals_total',
    help: 'Seals written to the audit.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_last_seal_timestamp_seconds',
    help: 'Unix time of the last seal in the audit. 0: none since the start, as without audit.seal. It does not move while there is nothing to seal.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_audit_seal_failures_total',
    help: 'Seals that could not be made. Records are then written without seals until a restart. Alert on any.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_seals_missing',
    help: '1: the audit files did not have the last seal that the gateway wrote before its start: they were cut back, replaced or moved. It stays until a restart. Alert on 1.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ehi_audit_seal_copy_failures_total',
    help: 'How often the copy of the last seal (audit.seal.copy) could not be read or written.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_rotations_total',
    help: 'Rotations of the audit file by the gateway itself, because of audit.rotate.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_rotation_failures_total',
    help: 'Rotations of the audit file that failed: it grows beyond audit.rotate.size. The log names the error.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_audit_truncations_total',
    help: 'How often something else shortened the open audit file, such as copytruncate of logrotate. Records may be missing.',
    type: 'counter',
    labels: [],
  },
] as const;
