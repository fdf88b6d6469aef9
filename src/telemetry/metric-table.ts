/** Every metric of the gateway. The registry and `docs/metrics.md` are made from this table. */
import { bearerMetrics } from './bearer-metrics.ts';
import { policyMetrics } from './policy-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { signatureMetrics } from './signature-metrics.ts';
import { trafficMetrics } from './traffic-metrics.ts';

/** Node's process metrics (`nodejs_*`, `process_*`) are served beside these. */
export const metricTable = [
  ...trafficMetrics,
  ...policyMetrics,
  ...bearerMetrics,
  ...signatureMetrics,
  ...processMetrics,
] as const;

export type MetricName = (typeof metricTable)[number]['name'];
