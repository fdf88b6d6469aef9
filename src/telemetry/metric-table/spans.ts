/** The metrics of spans for the OpenTelemetry collector. */

export const spansMetrics = [
  {
    name: 'ehi_spans_exported_total',
    help: 'Spans that the collector accepted.',
    type: 'counter',
    labels: [],
  },
  {
    name: 'ehi_spans_dropped_total',
    help: 'Spans that were created and not exported. reason is queue_full, rejected, refused, undelivered or ended.',
    type: 'counter',
    labels: ['reason'],
  },
] as const;
