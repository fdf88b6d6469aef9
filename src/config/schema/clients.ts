/** `clients`: which clients are allowed. */
import { choice, flag, listOf, mapping, nonEmptyMapping, nonEmptyText, oneOrMany } from './field-types.ts';
import * as format from './formats.ts';
import { keyRefresh, keySource } from './key-source.ts';

const allowlist = listOf(format.range, 'ranges').exactOptional();
const pins = listOf(format.pin, 'pins').exactOptional();

const match = oneOrMany(
  nonEmptyMapping({
    organizationalUnit: nonEmptyText('a value of the subject’s OU')
      .exactOptional()
      .describe('Equal to one of the OU values of the subject.'),
    commonName: nonEmptyText('a value of the subject’s CN')
      .exactOptional()
      .describe('Equal to one of the CN values of the subject.'),
    issuer: nonEmptyText('the issuer’s name as an RFC 4514 string')
      .exactOptional()
      .describe(
        'Equal to the name of the issuer as an RFC 4514 string. By itself it does not identify a caller: a CA issues certificates to many.',
      ),
    san: format.san.exactOptional().describe('Equal to one of the subject alternative names.'),
    thumbprint: format.thumbprint.exactOptional().describe('Equal to the SHA-256 of the leaf’s DER.'),
  }),
  'mappings',
).exactOptional();

function registered(folder: string) {
  return mapping({
    jwks: keySource(folder).describe(
      'The registered certificates or keys, as a JSON Web Key Set (RFC 7517).',
    ),
    inactive: keySource(folder)
      .exactOptional()
      .describe('Certificates or keys that are no longer registered, though `jwks` may still have them.'),
    compare: choice('certificate', 'key')
      .prefault('certificate')
      .describe(
        'What must be registered. `certificate`: the client’s certificate (`x5c[0]`). `key`: its key, so that a renewed certificate with the same key needs no registration.',
      ),
    refresh: keyRefresh,
    mode: choice('enforce', 'shadow')
      .prefault('enforce')
      .describe(
        '`shadow`: evaluated, recorded and counted as under `clients.shadow`, and never denies a client.',
      ),
  })
    .exactOptional()
    .describe(
      'Only clients whose certificate or key is registered are allowed, as an addition to the other conditions (RFC 8705 §2.2). `ehi-gateway certs jwks FILE` writes such a set.',
    );
}

export function clientsSchema(folder: string) {
  return mapping({
    allowlist: allowlist.describe('Networks that may connect. Absent: any address may connect.'),
    refuseAt: choice('accept', 'http')
      .prefault('accept')
      .describe(
        'When a source address that the allowlist does not contain is refused. `accept`: the connection is closed before TLS. `http`: after the handshake with a response of 403.',
      ),
    pins: pins.describe(
      'SHA-256 of public keys (SPKI). The leaf or a CA of the validated path must have one of them. `ehi-gateway certs pin FILE` prints the pin of a certificate.',
    ),
    match: match.describe(
      'All fields of the mapping, or of at least one mapping of a list, must equal those of the leaf. Case matters.',
    ),
    anyCertificateOfAnchor: flag()
      .prefault(false)
      .describe(
        'true: confirms that every certificate of the CA is allowed, though the CA serves every customer. Without it one of `allowlist`, `pins`, `match` and `registered` must identify the caller.',
      ),
    registered: registered(folder),
    certificate: choice('required', 'optional')
      .prefault('required')
      .describe(
        'Whether a client must send a certificate. `optional`: only if every route has a `signature` in mode `enforce`, which then says who sent a message. A client that sends a certificate must satisfy all other conditions all the same.',
      ),
    shadow: nonEmptyMapping({ allowlist, pins, match })
      .meta({ like: 'clients' })
      .exactOptional()
      .describe(
        'A trial of `allowlist`, `pins` or `match`: each handshake is also checked against them. The result is logged and counted, and never denies a client.',
      ),
  })
    .prefault({})
    .describe(
      'Which clients are allowed: a client must satisfy each of `allowlist`, `pins`, `match` and `registered` that is set. At least one of them must identify the caller.',
    );
}
