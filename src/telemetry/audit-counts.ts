/** What the audit writer has done since the start, as the metrics show it. */

export interface AuditCounts {
  seals: number;
  sealFailures: number;
  /** 1: the audit files did not have the last seal that this gateway wrote before its start. */
  sealsMissing: number;
  /** How often the copy of the last seal could not be read or written. */
  sealCopyFailures: number;
  /** Rotations by the gateway itself. */
  rotations: number;
  rotationFailures: number;
  /** How often something else shortened the open file. */
  truncations: number;
  /** Milliseconds since the epoch; null: no seal since the start. */
  lastSealAt: number | null;
  /** The number of that seal in its chain. */
  lastSealSeq: number | null;
}

export function noAuditCounts(): AuditCounts {
  const seals = { seals: 0, sealFailures: 0, sealsMissing: 0, sealCopyFailures: 0 };
  const files = { rotations: 0, rotationFailures: 0, truncations: 0 };
  return { ...seals, ...files, lastSealAt: null, lastSealSeq: null };
}
