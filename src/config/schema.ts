/** The one source of what a configuration may say: types, validation, JSON Schema and docs/configuration.md. */
import { z } from 'zod';
import { choice, count, duration, file, flag, listOf, oneOrMany, section, size, text } from './notation.ts';
import { routesSchema } from './upstream.ts';
import * as value from './values.ts';

/** After parsing: durations in milliseconds, sizes in bytes, paths absolute, pins and digests in one spelling. */
export type Config = z.output<ReturnType<typeof configSchema>>;

/** `folder`: the absolute one that relative paths start from. */
export function configSchema(folder: string) {
  return section({
    listen: listen(folder),
    trust: trustSchema(folder),
    clients: clientsSchema,
    routes: routesSchema(folder),
    limits,
    timeouts,
    relays: z
      .union([count(1, 256), z.literal('auto')], 'a whole number from 1 to 256, or auto')
      .meta({ allowed: 'a whole number from 1 to 256, or auto' })
      .prefault(1)
      .describe('Relay threads; `auto`: one per core.'),
    admin,
    audit: section({
      destination: file(folder, 'stdout, stderr or the path of a file', ['stdout', 'stderr'])
        .prefault('stdout')
        .describe('Where the audit records go, as JSON lines.'),
    })
      .prefault({})
      .describe('One record per handshake and per message.'),
  });
}

/** `listen.certificate`, alone: its files are read even while another part of the configuration is wrong. */
export function certificateSchema(folder: string) {
  return oneOrMany(
    section({
      chain: file(folder).describe('PEM: the leaf, then its intermediates, without the root.'),
      key: file(folder).describe('PEM: the leaf’s private key.'),
      passphraseFile: file(folder)
        .exactOptional()
        .describe('Holds the passphrase of an encrypted key; a line break at its end is left out.'),
    }),
    'certificates',
  ).describe('The server’s certificate, or a list of them: RSA and ECDSA side by side.');
}

const port = count(0, 65_535);

function listen(folder: string) {
  return section({
    address: value.address.prefault('0.0.0.0').describe('Where callers connect.'),
    port: port.prefault(8443).describe('0: any free one, told in the ready line.'),
    certificate: certificateSchema(folder),
    rejectWith: choice('http', 'close')
      .prefault('http')
      .describe('How a caller is refused after the handshake: with a 400 or 403 page, or by closing.'),
    advertiseCaNames: flag()
      .prefault(true)
      .describe('Sends the names of the accepted CAs in the handshake, the root first.'),
    proxyProtocol: section({
      trusted: z
        .array(value.range, 'a list of ranges')
        .meta({ allowed: 'a list of ranges' })
        .prefault([])
        .describe('Networks whose connections must start with a PROXY header, v1 or v2.'),
    })
      .prefault({})
      .describe('The source address as a load balancer states it.'),
  }).describe('The side that callers see.');
}

/** `trust`, alone: for the same reason. */
export function trustSchema(folder: string) {
  const anchor = section({
    name: value.anchorName.describe('Names the anchor in audit records and metrics; no two alike.'),
    preset: choice('sandbox', 'production')
      .exactOptional()
      .describe('The guide’s URLs of one environment; never both in one configuration.'),
    files: listOf(file(folder), 'files')
      .exactOptional()
      .describe('PEM or DER: the root and the issuing CAs.'),
    urls: listOf(value.anchorUrl, 'https:// URLs')
      .exactOptional()
      .describe('Where the root and the issuing CAs are fetched from.'),
    tls: section({ ca: file(folder).describe('PEM: the CA of the servers behind `urls`.') })
      .exactOptional()
      .describe('Only with `urls`: how their servers are verified.'),
    rootSha256: value.rootSha256
      .exactOptional()
      .describe('The root’s pin: without it, the first root fetched from a URL is trusted.'),
  });
  return section({
    anchors: listOf(anchor, 'anchors').describe(
      'Where path validation ends. Each has exactly one of `preset`, `files` and `urls`.',
    ),
    requirePin: flag()
      .prefault(false)
      .describe('Refuses an anchor from a URL or preset without `rootSha256`.'),
    refresh: duration().prefault('6h').describe('How often anchors are fetched again.'),
    cacheDir: file(folder, 'the path of a directory')
      .prefault('var/trust')
      .describe('Keeps the last good anchors: a start takes them first, then asks their URLs.'),
  }).describe('Whose client certificates are accepted.');
}

export const clientsSchema = section({
  allowlist: listOf(value.range, 'ranges')
    .exactOptional()
    .describe('Networks that may connect. Absent: any.'),
  refuseAt: choice('accept', 'http')
    .prefault('accept')
    .describe('Where an address outside the allowlist is refused: before TLS, or after it with 403.'),
  pins: listOf(value.pin, 'pins')
    .exactOptional()
    .describe('Public keys, of the leaf or of a CA on the validated path; one must be there.'),
  match: oneOrMany(
    section({
      organizationalUnit: text('a value of the subject’s OU')
        .exactOptional()
        .describe('Any value of the subject’s OU.'),
      commonName: text('a value of the subject’s CN')
        .exactOptional()
        .describe('Any value of the subject’s CN.'),
      issuer: text('the issuer’s name as an RFC 4514 string')
        .exactOptional()
        .describe('The issuer’s name (RFC 4514). Alone it names no caller.'),
      san: value.san.exactOptional().describe('A subject alternative name.'),
      thumbprint: value.thumbprint.exactOptional().describe('SHA-256 of the leaf’s DER.'),
    })
      .refine((fields) => Object.keys(fields).length > 0, {
        error: 'at least one field',
        when: ({ issues }) => issues.length === 0,
      })
      .meta({ minProperties: 1 }),
    'mappings',
  )
    .exactOptional()
    .describe('All fields of any one mapping must equal the leaf’s, case included.'),
  anyCertificateOfAnchor: flag()
    .prefault(false)
    .describe('Says in so many words that every customer of the CA may call.'),
})
  .prefault({})
  .describe('Who may call: at least one of `allowlist`, `pins` and `match` must name a caller.');

const limits = section({
  head: size('1MiB').prefault('16KiB').describe('Of a request’s or answer’s head.'),
  fields: count(1, 10_000).prefault(100).describe('Fields of one head.'),
  body: size('1024MiB').prefault('1MiB').describe('Of a request’s body.'),
  connections: count(1, 1_000_000).prefault(10_000).describe('Open at once.'),
  unfinishedHandshakes: count(1, 1_000_000)
    .prefault(512)
    .describe('Connections still before the end of TLS.'),
})
  .prefault({})
  .describe('What one caller, and all of them together, may use.');

const timeouts = section({
  handshake: duration().prefault('10s').describe('From accept to the end of the TLS handshake.'),
  head: duration().prefault('10s').describe('For a complete request head, from its first byte.'),
  bodyIdle: duration().prefault('10s').describe('Between two pieces of a body.'),
  keepAlive: duration().prefault('75s').describe('Between two requests of a connection.'),
  connectFirst: duration()
    .prefault('50ms')
    .describe('For a connection to an upstream endpoint that has another behind it.'),
  connect: duration().prefault('1s').describe('For a connection to the last, or only, upstream endpoint.'),
  drainDelay: duration('0s')
    .prefault('0s')
    .describe('After SIGTERM: how long connections are still accepted, until load balancers know.'),
  drain: duration('0s').prefault('30s').describe('Then: how long open exchanges may take.'),
})
  .prefault({})
  .describe('How long a step may take.');

const admin = section({
  address: value.address.prefault('127.0.0.1').describe('Plain HTTP, so keep it inside.'),
  port: port.prefault(9090).describe('0: any free one, told in the ready line.'),
})
  .prefault({})
  .describe('`/metrics`, `/healthz` and `/readyz`.');
