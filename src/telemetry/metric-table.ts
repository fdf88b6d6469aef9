/** Every metric of the gateway. The registry and `docs/metrics.md` are made from this table. */
import { auditMetrics } from './metric-table/audit.ts';
import { bearerMetrics } from './metric-table/bearer.ts';
import { certificatesMetrics } from './metric-table/certificates.ts';
import { configurationMetrics } from './metric-table/configuration.ts';
import { connectionsMetrics } from './metric-table/connections.ts';
import { keySetsMetrics } from './metric-table/key-sets.ts';
import { logMetrics } from './metric-table/log.ts';
import { messagesMetrics } from './metric-table/messages.ts';
import { relayThreadsMetrics } from './metric-table/relay-threads.ts';
import { revocationMetrics } from './metric-table/revocation.ts';
import { shadowMetrics } from './metric-table/shadow.ts';
import { signatureMetrics } from './metric-table/signature.ts';
import { spansMetrics } from './metric-table/spans.ts';
import { trustAnchorsMetrics } from './metric-table/trust-anchors.ts';
import { upstreamEndpointsMetrics } from './metric-table/upstream-endpoints.ts';

/** Node's process metrics (`nodejs_*`, `process_*`) are served beside these. */
export const metricTable = [
  ...connectionsMetrics,
  ...messagesMetrics,
  ...upstreamEndpointsMetrics,
  ...revocationMetrics,
  ...shadowMetrics,
  ...certificatesMetrics,
  ...trustAnchorsMetrics,
  ...keySetsMetrics,
  ...bearerMetrics,
  ...signatureMetrics,
  ...configurationMetrics,
  ...relayThreadsMetrics,
  ...auditMetrics,
  ...logMetrics,
  ...spansMetrics,
] as const;

export type MetricName = (typeof metricTable)[number]['name'];
