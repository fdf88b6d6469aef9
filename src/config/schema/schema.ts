/** The one source of what a configuration may say: types, validation, JSON Schema and docs/configuration.md. */
import { z } from 'zod';
import { adminSchema } from './admin.ts';
import { clientsSchema } from './clients.ts';
import { identitySchema } from './identity.ts';
import { listenSchema } from './listen.ts';
import { choice, count, duration, file, section, size } from './notation.ts';
import { connectTimes, routesSchema } from './routes.ts';
import { tracingSchema } from './tracing.ts';
import { trustSchema } from './trust.ts';

/** After parsing: durations in milliseconds, sizes in bytes, paths absolute, pins and digests in one spelling. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** `folder`: the absolute one that relative paths start from. */
export function configSchema(folder: string) {
  return section({
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
      .describe('Relay threads; `auto`: one per core.'),
    admin: adminSchema,
    audit: section({
      destination: file(folder, 'stdout, stderr or the path of a file', ['stdout', 'stderr'])
        .prefault('stdout')
        .describe('Where the audit records go, as JSON lines.'),
      onFailure: choice('continue', 'refuse')
        .prefault('continue')
        .describe(
          'While audit records cannot be written: `continue` to relay messages, and keep up to 64 MiB of records in memory; or `refuse` new messages with 503.',
        ),
    })
      .prefault({})
      .describe('One record per handshake and per message.'),
    tracing: tracingSchema(folder),
  });
}

const limits = section({
  head: size('1MiB').prefault('16KiB').describe('Of a request’s or answer’s head.'),
  fields: count(1, 10_000).prefault(100).describe('Fields of one head.'),
  body: size('1024MiB').prefault('1MiB').describe('Of a request’s body.'),
  connections: count(1, 1_000_000).prefault(10_000).describe('Open at once, for each relay thread.'),
  connectionsPerAddress: count(1, 1_000_000)
    .exactOptional()
    .describe(
      'Of these, for one address (of IPv6 one /64). Absent: a quarter of `connections`, at least 16. Not for addresses that `clients.allowlist` names.',
    ),
  unfinishedHandshakes: count(1, 1_000_000)
    .prefault(512)
    .describe('Connections still before the end of TLS, for each relay thread.'),
  unfinishedHandshakesPerAddress: count(1, 1_000_000)
    .exactOptional()
    .describe(
      'Of these, for one address (of IPv6 one /64). Absent: half of `unfinishedHandshakes`, at least 16. Not for addresses that `clients.allowlist` names.',
    ),
  handshakeBytes: size('1MiB')
    .prefault('16KiB')
    .describe(
      'Of the client’s part of a TLS handshake, its certificates above all. For addresses that `clients.allowlist` names four times as much.',
    ),
  certificateBytes: size('64KiB')
    .prefault('8KiB')
    .describe('Of a client’s certificate: a larger one is refused with 403 before it is read.'),
  handshakeRate: count(1, 1_000_000)
    .prefault(1000)
    .describe(
      'Handshakes that one address (of IPv6 one /64) may begin in a second. Not for those that `clients.allowlist` names.',
    ),
  delay: duration()
    .prefault('250ms')
    .describe(
      'While every message of a relay thread waits longer than this for its two turns, it accepts no new connection, and refuses new messages with 503.',
    ),
  smallRecords: count(1, 1_000_000)
    .prefault(2000)
    .describe(
      'TLS records with little or no data (KeyUpdates, empty ones, a few bytes) that a connection may send in a second, and three times as many at once; without an admitted client a twentieth. Beyond that it is closed.',
    ),
  inFlightPerClient: count(1, 1_000_000)
    .prefault(512)
    .describe(
      'Messages that one client, whatever its connections, may have under way in each relay thread; beyond that they are refused with 503. A client is one leaf certificate.',
    ),
})
  .prefault({})
  .describe('What one caller, and all of them together, may use.');

const timeouts = section({
  handshake: duration().prefault('10s').describe('From accept to the end of the TLS handshake.'),
  head: duration().prefault('10s').describe('For a complete request head, from its first byte.'),
  bodyIdle: duration().prefault('10s').describe('Between two pieces of a body.'),
  keepAlive: duration().prefault('75s').describe('Between two requests of a connection.'),
  ...connectTimes,
  drainDelay: duration('0s')
    .prefault('0s')
    .describe('After SIGTERM: how long connections are still accepted, until load balancers know.'),
  drain: duration('0s').prefault('30s').describe('Then: how long open exchanges may take.'),
})
  .prefault({})
  .describe('How long a step may take.');
