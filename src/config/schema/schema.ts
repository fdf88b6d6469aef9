/** The schema of the configuration. Types, validation, JSON Schema and docs/configuration.md are derived from it. */
import { z } from 'zod';
import { adminSchema } from './admin.ts';
import { auditSchema } from './audit.ts';
import { clientsSchema } from './clients.ts';
import { count, mapping } from './field-types.ts';
import { identitySchema } from './identity.ts';
import { limits } from './limits.ts';
import { listenSchema } from './listen.ts';
import { routesSchema } from './routes.ts';
import { timeouts } from './timeouts.ts';
import { tracingSchema } from './tracing.ts';
import { trustSchema } from './trust.ts';

/** After parsing: durations in milliseconds, sizes in bytes, paths absolute, pins and digests in one notation. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** `folder`: the absolute one that relative paths start from. */
export function configSchema(folder: string) {
  return mapping({
    listen: listenSchema(folder),
    trust: trustSchema(folder),
    clients: clientsSchema(folder),
    routes: routesSchema(folder),
    identity: identitySchema,
    limits,
    timeouts,
    relays: z
      .union([count(1, 256), z.literal('auto')], 'a whole number from 1 to 256, or auto')
      .meta({ allowed: 'a whole number from 1 to 256, or auto' })
      .prefault('auto')
      .describe(
        'Number of relay threads, which handle the connections. `auto`: one for each CPU core that the process may use, but no more than its memory allows if each has `limits.connections` connections. The log states the number at the start.',
      ),
    admin: adminSchema,
    audit: auditSchema(folder),
    tracing: tracingSchema(folder),
  });
}
