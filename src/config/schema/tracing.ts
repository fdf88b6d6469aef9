/** `tracing`: which messages get OpenTelemetry spans, and where these are sent. */
import { z } from 'zod';
import { duration, file, formatted, mapping } from './field-types.ts';
import * as format from './formats.ts';

const ratio = 'a number from 0 to 1';

/** null: off. */
export type TracingConfig = z.output<ReturnType<typeof tracingSchema>>;

export function tracingSchema(folder: string) {
  const allowed = 'a mapping, or off';
  return z
    .union([exporter(folder), z.literal('off', 'off')], allowed)
    .transform((tracing) => (tracing === 'off' ? null : tracing))
    .meta({ allowed })
    .prefault('off')
    .describe('Sends OpenTelemetry spans of messages to a collector. docs/tracing.md lists their content.');
}

function exporter(folder: string) {
  return mapping({
    endpoint: format.collectorUrl.describe(
      'URL of the collector. The gateway sends OTLP over HTTP POST, in JSON.',
    ),
    serviceName: formatted({
      allowed: 'up to 255 letters, digits, ".", "_", "/" and "-"',
      pattern: /^[A-Za-z0-9._/-]{1,255}$/,
    })
      .prefault('ehi-gateway')
      .describe('The `service.name` of the spans.'),
    sampleRatio: z
      .number(ratio)
      .min(0, ratio)
      .max(1, ratio)
      .meta({ allowed: ratio })
      .prefault(1)
      .describe(
        'Share of the messages without a trace context that get spans. A message with a trace context gets spans if its sender sampled it.',
      ),
    interval: duration('10ms', '1h')
      .prefault('5s')
      .describe(
        'How long spans are collected before they are sent together. 512 spans are sent without waiting longer.',
      ),
    headersFile: file(folder)
      .exactOptional()
      .describe(
        'File with header fields for the collector, such as credentials: one `name: value` on each line.',
      ),
    tls: mapping({
      ca: file(folder).describe('PEM file: the CAs that may have issued the certificate of the collector.'),
    })
      .exactOptional()
      .describe('Only with an https endpoint. Absent: the CAs of the operating system.'),
  }).superRefine(({ endpoint, tls }, context) => {
    if (tls === undefined || endpoint.startsWith('https:')) return;
    context.addIssue({ code: 'custom', path: ['tls'], message: 'tls beside an https endpoint' });
  });
}
