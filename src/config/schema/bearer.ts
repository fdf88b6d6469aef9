/** `routes[].bearer`: certificate-bound access tokens (RFC 6750, RFC 8705 §3, RFC 9068, RFC 7662). */
import { z } from 'zod';
import { signatureAlgorithms } from '../../jose/algorithm.ts';
import { choice, duration, file, flag, formatted, listOf, mapping } from './field-types.ts';
import * as format from './formats.ts';
import { refreshedKeySource } from './key-source.ts';

export type BearerConfig = z.output<ReturnType<typeof bearerSchema>>;
export type IntrospectionConfig = NonNullable<BearerConfig['introspection']>;

const identifier = formatted({
  allowed: 'a text without white space and control characters, such as https://as.example.com',
  // The chart's schema has this pattern too, and Go allows no repetition beyond 1000.
  pattern: /^[\x21-\x7e]{1,1000}$/,
});

const audienceAllowed = 'one audience, a list of them, or any';
const audience = z
  .union([identifier, listOf(identifier, 'audiences')], audienceAllowed)
  .transform((value) => [value].flat())
  .meta({ allowed: audienceAllowed });

/** RFC 6749 §3.3. */
const scope = formatted({
  allowed: 'a scope (RFC 6749 §3.3): printable ASCII without space, quotation mark and backslash',
  pattern: /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/,
});

export function bearerSchema(folder: string) {
  return mapping({
    mode: choice('enforce', 'shadow')
      .prefault('enforce')
      .describe('`shadow`: each token is judged, recorded and counted, and no message is refused.'),
    issuer: identifier.describe('The `iss` of the tokens, exactly as they have it.'),
    audience: audience.describe(
      'The gateway’s own identifier, or several: the `aud` of a token must have one of them. `any`: tokens for every audience are accepted.',
    ),
    scopes: listOf(scope, 'scopes')
      .exactOptional()
      .describe('Scopes, all of which a token must have. Absent: none.'),
    algorithms: listOf(choice(...signatureAlgorithms), 'algorithms')
      .prefault(['PS256', 'ES256', 'EdDSA', 'RS256'])
      .describe('Algorithms of JWTs that are accepted. `none` and HMAC never are.'),
    types: listOf(choice('at+jwt', 'JWT'), 'types')
      .prefault(['at+jwt'])
      .describe('The `typ` of JWTs that is accepted. `JWT` also accepts JWTs without `typ`.'),
    clockSkew: duration('0ms', '5m')
      .prefault('30s')
      .describe('How far the clock of the authorization server may differ, for `exp`, `nbf` and `iat`.'),
    requireBinding: flag()
      .prefault(true)
      .describe(
        'true: only tokens that are bound to a certificate are accepted. false: other tokens too. A token that is bound is only accepted with its certificate.',
      ),
    pass: choice('forward', 'strip')
      .prefault('forward')
      .describe(
        'Whether the host gets the Authorization field: `strip` removes it, unless the policy is in `mode: shadow`.',
      ),
    jwks: refreshedKeySource(folder)
      .exactOptional()
      .describe('The keys of the authorization server, for JWTs. Absent: every token is introspected.'),
    introspection: introspection(folder)
      .exactOptional()
      .describe(
        'Asks the authorization server about tokens (RFC 7662). With `jwks` only about those that are no JWTs.',
      ),
  }).superRefine(({ jwks, introspection }, context) => {
    if (jwks !== undefined || introspection !== undefined) return;
    context.addIssue({ code: 'custom', path: [], message: 'at least one of jwks and introspection' });
  });
}

function introspection(folder: string) {
  return mapping({
    endpoint: format.anchorUrl.describe('URL of the introspection endpoint.'),
    ca: file(folder)
      .exactOptional()
      .describe('PEM file: the CAs that verify the endpoint. Absent: the CAs of the operating system.'),
    auth: authentication(folder).describe('How the gateway authenticates to the endpoint.'),
    cache: duration('0ms', '1h')
      .prefault('30s')
      .describe(
        'How long an answer is used again, `inactive` too, and no longer than `exp`. A token that is revoked is accepted for this time. `0ms`: not at all.',
      ),
    timeout: duration('1ms', '30s')
      .prefault('100ms')
      .describe('How long an answer is awaited. After it the message gets 503.'),
  });
}

function authentication(folder: string) {
  return mapping({
    kind: choice('client_secret_basic', 'private_key_jwt', 'tls_client_auth').describe(
      '`client_secret_basic`: a password (RFC 6749 §2.3.1). `private_key_jwt`: a signed assertion (RFC 7523 §2.2). `tls_client_auth`: a client certificate (RFC 8705 §2).',
    ),
    clientId: identifier.describe('The gateway’s name at the authorization server.'),
    secretFile: file(folder)
      .exactOptional()
      .describe('File with the client secret. One line break at its end is ignored.'),
    keyFile: file(folder).exactOptional().describe('PEM file: the private key that signs assertions.'),
    kid: identifier.exactOptional().describe('The `kid` of assertions. Absent: none.'),
    algorithm: choice(...signatureAlgorithms)
      .exactOptional()
      .describe('The algorithm of assertions.'),
    chain: file(folder)
      .exactOptional()
      .describe('PEM file: the gateway’s client certificate, then its intermediates.'),
    key: file(folder).exactOptional().describe('PEM file: the private key of the certificate.'),
    passphraseFile: file(folder)
      .exactOptional()
      .describe('File with the passphrase of an encrypted `key`. One line break at its end is ignored.'),
  }).superRefine((auth, context) => {
    const { needed, optional } = fieldsOfKind[auth.kind];
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    for (const field of needed)
      if (auth[field] === undefined) refuse(field, `${field} beside kind: ${auth.kind}`);
    for (const field of Object.keys(auth)) {
      const isKnown = ['kind', 'clientId', ...needed, ...optional].includes(field);
      if (!isKnown) refuse(field, `nothing beside kind: ${auth.kind}`);
    }
  });
}

const fieldsOfKind = {
  client_secret_basic: { needed: ['secretFile'], optional: [] },
  private_key_jwt: { needed: ['keyFile', 'algorithm'], optional: ['kid'] },
  tls_client_auth: { needed: ['chain', 'key'], optional: ['passphraseFile'] },
} as const;
