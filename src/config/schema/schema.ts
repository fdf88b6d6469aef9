/** The schema of the configuration. Types, validation, JSON Schema and docs/configuration.md are derived from it. */
import { z } from 'zod';
import { adminSchema } from './admin.ts';
import { clientsSchema } from './clients.ts';
import { choice, count, duration, file, mapping, size } from './field-types.ts';
import { identitySchema } from './identity.ts';
import { listenSchema } from './listen.ts';
import { connectTimes, routesSchema } from './routes.ts';
import { tracingSchema } from './tracing.ts';
import { trustSchema } from './trust.ts';

/** After parsing: durations in milliseconds, sizes in bytes, paths absolute, pins and digests in one notation. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** `folder`: the absolute one that relative paths start from. */
export function configSchema(folder: string) {
  return mapping({
    listen: listenSchema(folder),
    trust: trustSchema(folder),
    clients: clientsSchema,
    routes: routesSchema(folder),
    identity: identitySchema,
    limits,
    timeouts,
    relays: z
      .union([count(1, 256), z.literal('auto')], 'a whole number from 1 to 256, or auto')
      .meta({ allowed: 'a whole number from 1 to 256, or auto' })
      .prefault(1)
      .describe(
        'Number of relay threads, which handle the connections. `auto`: one for each CPU core that the process may use.',
      ),
    admin: adminSchema,
    audit: mapping({
      destination: file(folder, 'stdout, stderr or the path of a file', ['stdout', 'stderr'])
        .prefault('stdout')
        .describe('Where audit records are written, as JSON lines.'),
      onFailure: choice('continue', 'refuse')
        .prefault('continue')
        .describe(
          'What happens while audit records cannot be written. `continue`: messages are relayed, and up to 64 MiB of records are kept in memory. `refuse`: new messages get 503.',
        ),
    })
      .prefault({})
      .describe('Audit records: one for each handshake and each message.'),
    tracing: tracingSchema(folder),
  });
}

const limits = mapping({
  head: size('1MiB').prefault('16KiB').describe('Maximum size of the head of a request or a response.'),
  fields: count(1, 10_000).prefault(100).describe('Maximum number of header fields of one head.'),
  body: size('1024MiB').prefault('1MiB').describe('Maximum size of a request body.'),
  connections: count(1, 1_000_000)
    .prefault(10_000)
    .describe('Maximum number of open connections, for each relay thread.'),
  connectionsPerAddress: count(1, 1_000_000)
    .exactOptional()
    .describe(
      'Maximum number of open connections from one address (IPv6: one /64), for each relay thread. Absent: a quarter of `connections`, at least 16. Does not apply to addresses in `clients.allowlist`.',
    ),
  unfinishedHandshakes: count(1, 1_000_000)
    .prefault(512)
    .describe(
      'Maximum number of connections whose TLS handshake is not finished, for each relay thread. Addresses that `clients.allowlist` lists are counted, but never refused for it.',
    ),
  unfinishedHandshakesPerAddress: count(1, 1_000_000)
    .exactOptional()
    .describe(
      'The same for one address (IPv6: one /64). Absent: half of `unfinishedHandshakes`, at least 16. Does not apply to addresses in `clients.allowlist`.',
    ),
  handshakeBytes: size('1MiB')
    .prefault('16KiB')
    .describe(
      'Maximum size of the client’s part of a TLS handshake, mainly its certificates. Four times as much for addresses in `clients.allowlist`.',
    ),
  certificateBytes: size('64KiB')
    .prefault('8KiB')
    .describe('Maximum size of a client certificate. A larger one is refused with 403 before it is parsed.'),
  handshakeRate: count(1, 1_000_000)
    .prefault(1000)
    .describe(
      'Maximum number of handshakes that one address (IPv6: one /64) may start in a second. Does not apply to addresses in `clients.allowlist`.',
    ),
  delay: duration()
    .prefault('250ms')
    .describe(
      'Maximum delay of a message in an overloaded relay thread. While the event loop delays each message longer than this, the thread accepts no connection, and refuses new messages with 503.',
    ),
  smallRecords: count(1, 1_000_000)
    .prefault(2000)
    .describe(
      'Maximum rate, in a second, of TLS records with little or no data (KeyUpdate, empty records, a few bytes) on one connection, with bursts of three times as many. A twentieth of that until the client is allowed. Beyond it the connection is closed.',
    ),
  inFlightPerClient: count(1, 1_000_000)
    .prefault(512)
    .describe(
      'Maximum number of messages in flight for one client certificate, over all its connections, for each relay thread. Further messages get 503.',
    ),
})
  .prefault({})
  .describe('Limits for one client, and for all clients together.');

const timeouts = mapping({
  handshake: duration().prefault('10s').describe('Timeout from accept to the end of the TLS handshake.'),
  head: duration().prefault('10s').describe('Timeout for a complete request head, from its first byte.'),
  bodyIdle: duration().prefault('10s').describe('Timeout between two reads of a request body.'),
  keepAlive: duration()
    .prefault('75s')
    .describe('How long a client connection may be idle between two requests.'),
  ...connectTimes,
  drainDelay: duration('0s')
    .prefault('0s')
    .describe(
      'How long connections are still accepted after SIGTERM. In this time load balancers see that `/readyz` answers 503.',
    ),
  drain: duration('0s')
    .prefault('30s')
    .describe(
      'How long open exchanges may take after `drainDelay`. The process ends when they are finished.',
    ),
})
  .prefault({})
  .describe('How long each step of a connection or of a message may take.');
