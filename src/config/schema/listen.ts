/** `listen`: the side that callers see. */
import { z } from 'zod';
import { choice, duration, file, flag, oneOrMany, section } from './field-types.ts';
import * as value from './formats.ts';

/** After parsing: paths absolute. */
export type CertificateEntries = z.output<ReturnType<typeof certificateSchema>>;

/** null: off. `rotate` in milliseconds. */
export type Resumption = z.output<ReturnType<typeof resumptionSchema>>;

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

/** `listen.resumption`, alone: for the same reason. */
export function resumptionSchema(folder: string) {
  const allowed = 'a mapping, or off';
  return z
    .union(
      [
        section({
          secretFile: file(folder)
            .exactOptional()
            .describe(
              'At least 32 bytes that replicas share, so that each resumes the others’ sessions; a line break at its end is left out. Absent: a random secret.',
            ),
          rotate: duration('1s').prefault('12h').describe('How often the ticket keys change.'),
        }),
        z.literal('off', 'off'),
      ],
      allowed,
    )
    .transform((resumption) => (resumption === 'off' ? null : resumption))
    .meta({ allowed })
    .prefault({})
    .describe(
      'Whether clients may resume their sessions. The keys of the tickets hang on `trust`, `pins` and `match` too: once those change, no older session resumes.',
    );
}

export function listenSchema(folder: string) {
  return section({
    address: value.address.prefault('0.0.0.0').describe('Where callers connect.'),
    port: value.port.prefault(8443).describe('0: any free one, told in the ready line.'),
    certificate: certificateSchema(folder),
    rejectWith: choice('http', 'close')
      .prefault('http')
      .describe('How a caller is refused after the handshake: with a 400 or 403 page, or by closing.'),
    advertiseCaNames: flag()
      .prefault(true)
      .describe('Sends the names of the accepted CAs in the handshake, the root first.'),
    resumption: resumptionSchema(folder),
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
