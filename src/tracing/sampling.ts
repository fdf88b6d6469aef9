/** Decides by the trace id which new traces are sampled, as OpenTelemetry's TraceIdRatioBased sampler does. */

/** Hex digits of the random part of a trace id: its last 56 bits (W3C Trace Context Level 2, Randomness of trace-id). */
const digits = 14;
const values = 2n ** 56n;
/** Precision of a ratio: a double has 53 significant bits. */
const precision = 2 ** 53;

/** The least random part of a sampled trace id, as hex; null: no trace is sampled. `ratio`: from 0 to 1. */
export function thresholdOf(ratio: number): string | null {
  const rejected = values - (BigInt(Math.round(ratio * precision)) * values) / BigInt(precision);
  return rejected === values ? null : rejected.toString(16).padStart(digits, '0');
}

/** Compares strings: lower-case hex of equal length has the order of its numbers. A higher ratio samples all traces of a lower one. */
export function isSampled(traceId: string, threshold: string | null): boolean {
  return threshold !== null && traceId.slice(-digits) >= threshold;
}
