/** `clients`: who may call. */
import { choice, flag, listOf, oneOrMany, section, someOf, text } from './field-types.ts';
import * as value from './formats.ts';

const allowlist = listOf(value.range, 'ranges').exactOptional();
const pins = listOf(value.pin, 'pins').exactOptional();

const match = oneOrMany(
  someOf({
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
  }),
  'mappings',
).exactOptional();

/** Alone, because anchors are judged by it even while another part of the configuration is wrong. */
export const clientsSchema = section({
  allowlist: allowlist.describe('Networks that may connect. Absent: any.'),
  refuseAt: choice('accept', 'http')
    .prefault('accept')
    .describe('Where an address outside the allowlist is refused: before TLS, or after it with 403.'),
  pins: pins.describe(
    'Public keys, of the leaf or of a CA on the validated path; one must be there. `ehi-gateway certs pin FILE` prints them.',
  ),
  match: match.describe('All fields of any one mapping must equal the leaf’s, case included.'),
  anyCertificateOfAnchor: flag()
    .prefault(false)
    .describe('Says in so many words that every customer of the CA may call.'),
  shadow: someOf({ allowlist, pins, match })
    .meta({ like: 'clients' })
    .exactOptional()
    .describe(
      'Controls that are rehearsed, any of `allowlist`, `pins` and `match`: each handshake is judged by them too, and nobody is refused by them.',
    ),
})
  .prefault({})
  .describe('Who may call: at least one of `allowlist`, `pins` and `match` must name a caller.');
