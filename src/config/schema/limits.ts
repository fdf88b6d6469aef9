/** `limits`: for one client, and for all clients together. */
import { count, duration, mapping, size } from './field-types.ts';

export const limits = mapping({
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
  heldBodies: size('16384MiB')
    .prefault('64MiB')
    .describe(
      'Maximum memory, together, of the bodies that are held until their signature is checked (`routes[].signature`), for each relay thread. A body without Content-Length may take twice its size. Further messages get 503.',
    ),
})
  .prefault({})
  .describe('Limits for one client, and for all clients together.');
