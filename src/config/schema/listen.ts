/** `listen`: the listener for clients. */
import { z } from 'zod';
import { choice, duration, file, flag, mapping, oneOrMany } from './field-types.ts';
import * as format from './formats.ts';

/** After parsing: paths absolute. */
export type CertificateEntries = z.output<ReturnType<typeof certificateSchema>>;

/** null: off. `rotate` in milliseconds. */
export type Resumption = z.output<ReturnType<typeof resumptionSchema>>;

function certificateSchema(folder: string) {
  return oneOrMany(
    mapping({
      chain: file(folder).describe('PEM file: the leaf, then its intermediates, without the root.'),
      key: file(folder).describe('PEM file: the private key of the leaf.'),
      passphraseFile: file(folder)
        .exactOptional()
        .describe('File with the passphrase of an encrypted key. One line break at its end is ignored.'),
    }),
    'certificates',
  ).describe(
    'The server certificate, or a list with at most one RSA and one ECDSA certificate: each client gets one that it can verify.',
  );
}

function resumptionSchema(folder: string) {
  const allowed = 'a mapping, or off';
  return z
    .union(
      [
        mapping({
          secretFile: file(folder)
            .exactOptional()
            .describe(
              'File with at least 32 secret bytes. Replicas with the same secret resume the sessions of each other. One line break at its end is ignored. Absent: each process uses a random secret.',
            ),
          rotate: duration('1s').prefault('12h').describe('How often the keys of session tickets change.'),
        }),
        z.literal('off', 'off'),
      ],
      allowed,
    )
    .transform((resumption) => (resumption === 'off' ? null : resumption))
    .meta({ allowed })
    .prefault({})
    .describe(
      'Whether clients may resume TLS sessions. A change of trust anchors, `clients.pins` or `clients.match` makes older sessions unusable: these clients make a full handshake.',
    );
}

export function listenSchema(folder: string) {
  return mapping({
    address: format.address.prefault('0.0.0.0').describe('The IP address that clients connect to.'),
    port: format.port
      .prefault(8443)
      .describe('0: the operating system chooses a free port, which the `ready` line on stdout names.'),
    certificate: certificateSchema(folder),
    rejectWith: choice('http', 'close')
      .prefault('http')
      .describe(
        '`http`: a client that is denied after the handshake gets a response with 400 or 403. `close`: its connection is closed without a response.',
      ),
    advertiseCaNames: flag()
      .prefault(true)
      .describe('Sends the names of the accepted CAs in the handshake, the root first.'),
    resumption: resumptionSchema(folder),
    proxyProtocol: mapping({
      trusted: z
        .array(format.range, 'a list of ranges')
        .meta({ allowed: 'a list of ranges' })
        .prefault([])
        .describe(
          'Networks of load balancers. Each connection from them must start with a PROXY protocol header, version 1 or 2; its address counts as the source address. Other connections must not have one.',
        ),
    })
      .prefault({})
      .describe('How a load balancer states the source address of the client.'),
  }).describe('The listener for clients.');
}
