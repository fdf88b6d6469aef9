/** `tracing`: where OpenTelemetry spans of messages go, and of which messages there are any. */
import { z } from 'zod';
import { duration, file, notation, section } from './field-types.ts';
import * as value from './formats.ts';

const ratio = 'a number from 0 to 1';

/** null: off. */
export type TracingConfig = z.output<ReturnType<typeof tracingSchema>>;

/** `tracing`, alone: its files are read even while another part of the configuration is wrong. */
export function tracingSchema(folder: string) {
  const allowed = 'a mapping, or off';
  return z
    .union([mapping(folder), z.literal('off', 'off')], allowed)
    .transform((tracing) => (tracing === 'off' ? null : tracing))
    .meta({ allowed })
    .prefault('off')
    .describe('OpenTelemetry spans of messages, for a collector; docs/tracing.md tells what they hold.');
}

function mapping(folder: string) {
  return section({
    endpoint: value.collectorUrl.describe('Where they are posted: OTLP over HTTP, in JSON.'),
    serviceName: notation({
      allowed: 'up to 255 letters, digits, ".", "_", "/" and "-"',
      pattern: /^[A-Za-z0-9._/-]{1,255}$/,
    })
      .prefault('ehi-gateway')
      .describe('Their `service.name`.'),
    sampleRatio: z
      .number(ratio)
      .min(0, ratio)
      .max(1, ratio)
      .meta({ allowed: ratio })
      .prefault(1)
      .describe(
        'Of the messages that come without a trace, how many get spans. Those that come with one get them where their sender has sampled it.',
      ),
    interval: duration('10ms', '1h')
      .prefault('5s')
      .describe('How long a span waits for others; 512 of them wait no longer.'),
    headersFile: file(folder)
      .exactOptional()
      .describe('Fields for the collector, such as its credentials: `name: value`, one a line.'),
    tls: section({
      ca: file(folder).describe('PEM: the CAs that the collector’s certificate may come from.'),
    })
      .exactOptional()
      .describe('Only with an https endpoint. Absent: the operating system’s CAs.'),
  }).superRefine(({ endpoint, tls }, context) => {
    if (tls === undefined || endpoint.startsWith('https:')) return;
    context.addIssue({ code: 'custom', path: ['tls'], message: 'tls beside an https endpoint' });
  });
}
