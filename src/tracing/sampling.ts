/** Which traces that begin here are sampled: OpenTelemetry's TraceIdRatioBased, decided by the trace id alone. */

/** The randomness of a trace id: its last 56 bits (W3C Trace Context Level 2, Randomness of trace-id). */
const digits = 14;
const values = 2n ** 56n;
/** A double holds no more of a ratio than this many bits. */
const precision = 2 ** 53;

/** What the randomness must reach, in as many hex digits; null: none does. `ratio`: from 0 to 1. */
export function thresholdOf(ratio: number): string | null {
  const rejected = values - (BigInt(Math.round(ratio * precision)) * values) / BigInt(precision);
  return rejected === values ? null : rejected.toString(16).padStart(digits, '0');
}

/** Lower-case hex of one length compares as the numbers do. What a lower ratio takes, a higher one takes too. */
export function isSampled(traceId: string, threshold: string | null): boolean {
  return threshold !== null && traceId.slice(-digits) >= threshold;
}
