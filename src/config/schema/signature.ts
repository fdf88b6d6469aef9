/** `routes[].signature`: which signature the body of a message must have. */
import { z } from 'zod';
import { signatureAlgorithms } from '../../jose/algorithm.ts';
import { choice, duration, file, formatted, listOf, mapping } from './field-types.ts';
import { refreshedKeySource } from './key-source.ts';

/** The longest window around the timestamp, of which signature/replay-memory.ts depends. */
const maxTolerance = '1h';

/** In lower case after parsing, as fields of a request are compared. */
const fieldName = formatted({
  allowed: 'the name of a header field, such as X-Thredd-Signature',
  pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
  parse: (name) => name.toLowerCase(),
});

const encoding = choice('base64url', 'base64', 'hex');

const algorithm = choice(...signatureAlgorithms);
const algorithms = z
  .union(
    [algorithm, listOf(algorithm, 'algorithms')],
    `${signatureAlgorithms.join(' or ')}, or a list of them`,
  )
  .transform((value) => [value].flat())
  .meta({ allowed: `${signatureAlgorithms.join(' or ')}, or a list of them` });

const signed = formatted({
  allowed:
    'a text with {timestamp} and {body} once each, and between them a character that is neither a letter nor a digit, such as {timestamp}.{body}',
  pattern: /^[\n\x20-\x7e]{1,200}$/,
  parse: (text) => (isTemplate(text) ? text : undefined),
});

/** Where the timestamp ends and the body begins must be plain: else bytes of one could be moved to the other. */
function isTemplate(text: string): boolean {
  const parts = text.split(/\{(timestamp|body)\}/);
  const [before = '', first, between = '', second, after = '', ...more] = parts;
  const isOnceEach = more.length === 0 && first !== second && second !== undefined;
  return (
    isOnceEach && /[^A-Za-z0-9]/.test(between) && ![before, between, after].some((each) => /[{}]/.test(each))
  );
}

function hmac(folder: string) {
  return mapping({
    secretFile: file(folder).describe(
      'File with the secret that the gateway shares with the sender: at least 16 bytes, readable by its owner and group alone. One line break at its end is ignored.',
    ),
    header: fieldName.describe('The field with the HMAC-SHA256.'),
    encoding: encoding.prefault('hex').describe('How the field is encoded. Hex may have either case.'),
  });
}

const timestamp = mapping({
  header: fieldName.describe(
    'The field with the time of the signature: Unix time in seconds (10 digits) or milliseconds (13 digits), or a date in UTC such as 2026-01-31T12:00:00Z.',
  ),
  tolerance: duration('1s', maxTolerance)
    .prefault('5m')
    .describe('By how much the time may differ from that of the gateway, in either direction.'),
  signed: signed
    .prefault('{timestamp}.{body}')
    .describe('What is signed: the field as it was received, and the body, each in its place.'),
});

const mode = choice('enforce', 'shadow')
  .prefault('enforce')
  .describe('`shadow`: evaluated, recorded and counted, and never refuses a message.');

export function signatureSchema(folder: string) {
  return mapping({
    mode,
    header: fieldName.exactOptional().describe('The field with the signature. Required with `jwks`.'),
    scheme: choice('jws-detached', 'raw')
      .exactOptional()
      .describe(
        'Required with `jwks`. `jws-detached`: a JWS in compact serialization whose content is left out (RFC 7515 appendix F), encoded or not (RFC 7797, `b64` false). `raw`: the signature alone; that of ECDSA in fixed length (RFC 7518) or in DER.',
      ),
    encoding: encoding
      .exactOptional()
      .describe(
        'How the field is encoded, with `scheme: raw`. Absent: `base64url`, without padding. Hex may have either case.',
      ),
    algorithm: algorithms
      .exactOptional()
      .describe('The algorithm of the signature, or a list of those that are allowed. Required with `jwks`.'),
    kid: mapping({ header: fieldName.describe('The field with the `kid` of the key.') })
      .exactOptional()
      .describe(
        'Where the request names the key, with `scheme: raw`. Absent: each key of the set that fits `algorithm` is tried, at most four.',
      ),
    jwks: refreshedKeySource(folder)
      .exactOptional()
      .describe(
        'The public keys of the senders, as a JSON Web Key Set (RFC 7517). Exactly one of `jwks` and `hmac`.',
      ),
    hmac: hmac(folder)
      .exactOptional()
      .describe('Instead of `jwks`: the field holds an HMAC-SHA256 (RFC 2104).'),
    timestamp: timestamp
      .exactOptional()
      .describe(
        'The time of the signature, which is signed too. Absent: the body alone is signed, and a signature never expires.',
      ),
    replay: choice('allow', 'refuse')
      .prefault('allow')
      .describe(
        '`refuse`: the same signed content is accepted once within the window of `timestamp`, which it requires. The memory is that of the process: replicas do not share it.',
      ),
  }).superRefine((fields, context) => {
    for (const { path, message } of contradictions(fields))
      context.addIssue({ code: 'custom', path: [...path], message });
  });
}

interface Written {
  readonly header?: unknown;
  readonly scheme?: unknown;
  readonly encoding?: unknown;
  readonly algorithm?: unknown;
  readonly kid?: { readonly header: string };
  readonly jwks?: unknown;
  readonly hmac?: { readonly header: string };
  readonly timestamp?: { readonly header: string };
  readonly replay: 'allow' | 'refuse';
}

/** Fields that are missing beside others, or have no meaning beside them. */
function* contradictions(fields: Written): Generator<{ readonly path: string[]; readonly message: string }> {
  const { header, scheme, jwks, hmac, kid, timestamp, replay } = fields;
  if ((jwks === undefined) === (hmac === undefined)) {
    yield { path: [], message: 'exactly one of jwks and hmac' };
    return;
  }
  const ofKeys = ['header', 'scheme', 'algorithm'] as const;
  if (jwks !== undefined) {
    for (const name of ofKeys)
      if (fields[name] === undefined) yield { path: [name], message: `${name} beside jwks` };
  }
  for (const name of [...ofKeys, 'encoding', 'kid'] as const) {
    if (fields[name] === undefined) continue;
    if (hmac !== undefined) yield { path: [name], message: `${name} only beside jwks` };
    else if ((name === 'encoding' || name === 'kid') && scheme === 'jws-detached')
      yield { path: [name], message: `${name} only with scheme: raw` };
  }
  if (replay === 'refuse' && timestamp === undefined)
    yield {
      path: ['replay'],
      message: 'allow, or a timestamp beside refuse: without it nothing could ever be forgotten',
    };
  const names = [header, hmac?.header, kid?.header, timestamp?.header].filter((name) => name !== undefined);
  if (new Set(names).size < names.length)
    yield { path: [], message: 'a field of its own for the signature, the kid and the timestamp each' };
}

/** `routes[].signature`, its paths absolute. */
export type SignatureConfig = z.output<ReturnType<typeof signatureSchema>>;
