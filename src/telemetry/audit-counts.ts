/** What the audit writer has done since the start, as the metrics show it. */

export interface AuditCounts {
  seals: number;
  sealFailures: number;
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
  const none = { seals: 0, sealFailures: 0, rotations: 0, rotationFailures: 0, truncations: 0 };
  return { ...none, lastSealAt: null, lastSealSeq: null };
}
