/** Certificate-bound access tokens as JWTs (RFC 8705 §3, RFC 9068) on the real gateway. */
import { createPublicKey, createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { makeKey } from '../../src/pki/key.ts';
import { statusOf } from '../support/http/http.ts';
import { keySetOf, publicJwk, signedToken, type TokenParts } from '../support/jose/signed-token.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const issuer = 'https://as.example.com';
const audience = 'https://gateway.example.com';
const ec = makeKey('P-256');
const rsa = makeKey('rsa-2048');
const weak = makeKey('rsa-1024');
const foreign = makeKey('P-256');
const keys = keySetOf(
  publicJwk(ec, { kid: 'ec' }),
  publicJwk(rsa, { kid: 'rsa' }),
  publicJwk(weak, { kid: 'weak' }),
);

let stage: Stage;
let claims: Record<string, unknown>;

beforeAll(async () => {
  const bearer = { issuer, audience, scopes: ['ehi'], jwks: { file: 'keys.json' } };
  stage = await openStage({
    files: {
      'keys.json': keys,
    },
    routes: [
      { path: '/', bearer },
      { path: '/strip', bearer: { ...bearer, pass: 'strip' } },
      { path: '/shadow', bearer: { ...bearer, mode: 'shadow' } },
      { path: '/open' },
    ],
  });
  claims = {
    ...{ iss: issuer, aud: audience, scope: 'ehi', client_id: 'client', sub: 'subject' },
    exp: Date.now() / 1000 + 3600,
    cnf: { 'x5t#S256': parseCertificate(stage.leaf.der).thumbprint },
  };
});
afterAll(() => stage[Symbol.asyncDispose]());

function token(parts: Partial<TokenParts> = {}): string {
  return signedToken({ key: ec, alg: 'ES256', header: { typ: 'at+jwt', kid: 'ec' }, claims, ...parts });
}

const authorization = (presented: string) => `Authorization: Bearer ${presented}`;

async function recordOf(requestId: string | undefined): Promise<AuditRecord> {
  return stage.gateway.audit(({ type, request_id }) => type === 'message' && request_id === requestId);
}

/** Sends a message that the gateway is to refuse, and returns the response with the record of it. */
async function refusalOf(options: Parameters<typeof post>[0]) {
  const before = stage.host.requests.length;
  const received = stage.host.connectionCount;
  const response = await stage.send(post(options));
  const record = await recordOf(response.field('x-request-id'));
  expect(stage.host.requests).toHaveLength(before);
  expect(stage.host.connectionCount).toBe(received);
  return { response, record };
}

it('a token that is bound to the client’s certificate passes, and the host gets it', async () => {
  const presented = token();
  const response = await stage.send(post({ fields: [authorization(presented)] }));
  expect(statusOf(response)).toBe(200);
  expect(stage.host.requests.at(-1)?.field('authorization')).toBe(`Bearer ${presented}`);
  const record = await recordOf(stage.host.requests.at(-1)?.field('x-request-id'));
  expect(record).toMatchObject({
    status: 200,
    reason: null,
    policies: { token: { client_id: 'client', subject: 'subject', key_id: 'ec', how: 'jwt' }, shadow: [] },
  });
});

it('pass: strip keeps the token from the host', async () => {
  const fields = [authorization(token()), 'X-Other: kept'];
  const response = await stage.send(post({ target: '/strip', fields }));
  expect(statusOf(response)).toBe(200);
  expect(stage.host.requests.at(-1)?.field('authorization')).toBe(undefined);
  expect(stage.host.requests.at(-1)?.field('x-other')).toBe('kept');
});

it('the same token with another certificate of the same CA gets 401', async () => {
  const presented = token();
  const leaf = stage.authority.issueClient();
  const response = await stage.send(post({ fields: [authorization(presented)] }), { leaf });
  expect(statusOf(response)).toBe(401);
  expect(response.field('www-authenticate')).toBe('Bearer error="invalid_token"');
  expect(await recordOf(response.field('x-request-id'))).toMatchObject({ reason: 'token_binding' });
});

it('a route without bearer demands no token', async () => {
  expect(statusOf(await stage.send(post({ target: '/open' })))).toBe(200);
});

describe('a message is refused, with nothing at the host', () => {
  const invalid = 'Bearer error="invalid_token"';
  const request = 'Bearer error="invalid_request"';
  const now = Date.now() / 1000;
  const pem = createPublicKey(rsa).export({ type: 'spki', format: 'pem' });
  const hmac = createSecretKey(Buffer.from(pem)).export();

  it.each<[string, string, number, string | undefined, () => Parameters<typeof post>[0]]>([
    ['without a token', 'token_missing', 401, 'Bearer realm="ehi-gateway", scope="ehi"', () => ({})],
    [
      'with two Authorization fields',
      'token_repeated',
      400,
      request,
      () => ({ fields: [authorization(token()), authorization(token())] }),
    ],
    [
      'with the token in the query',
      'token_in_query',
      400,
      request,
      () => ({ target: `/?access_token=${token()}` }),
    ],
    [
      'with no token after Bearer',
      'token_syntax',
      400,
      request,
      () => ({ fields: ['Authorization: Bearer'] }),
    ],
    [
      'with a token of more than 8 KiB',
      'token_too_large',
      400,
      request,
      () => ({ fields: [authorization(token({ claims: { ...claims, padding: 'a'.repeat(8192) } }))] }),
    ],
    [
      'with a token that is no JWT',
      'token_malformed',
      401,
      invalid,
      () => ({ fields: [authorization('abc')] }),
    ],
    [
      'with a token without scope',
      'token_scope',
      403,
      'Bearer error="insufficient_scope", scope="ehi"',
      () => ({
        fields: [authorization(token({ claims: { ...claims, scope: null } }))],
      }),
    ],
    ...(
      [
        ['without cnf', 'token_unbound', () => token({ claims: { ...claims, cnf: undefined } })],
        [
          'with cnf of another certificate',
          'token_binding',
          () =>
            token({
              claims: { ...claims, cnf: { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' } },
            }),
        ],
        [
          'with alg none',
          'token_algorithm',
          () => signedToken({ alg: 'none', header: { typ: 'at+jwt' }, claims }),
        ],
        [
          'signed by HMAC with the public key',
          'token_algorithm',
          () => token({ key: hmac, alg: 'HS256', header: { typ: 'at+jwt', kid: 'rsa' } }),
        ],
        [
          'with the kid of another set',
          'token_key_unknown',
          () => token({ key: foreign, header: { typ: 'at+jwt', kid: 'foreign' } }),
        ],
        [
          'signed by an RSA key of 1024 bits',
          'token_key_unknown',
          () => token({ key: weak, alg: 'RS256', header: { typ: 'at+jwt', kid: 'weak' } }),
        ],
        ['signed by another key under the kid', 'token_signature', () => token({ key: foreign })],
        ['with crit', 'token_header', () => token({ header: { typ: 'at+jwt', kid: 'ec', crit: ['exp'] } })],
        [
          'with an embedded key',
          'token_header',
          () => token({ key: foreign, header: { typ: 'at+jwt', jwk: publicJwk(foreign) } }),
        ],
        [
          'with the address of a certificate',
          'token_header',
          () => token({ header: { typ: 'at+jwt', kid: 'ec', x5u: 'https://attacker.example/' } }),
        ],
        ['of another type', 'token_type', () => token({ header: { typ: 'JWT', kid: 'ec' } })],
        ['that has expired', 'token_expired', () => token({ claims: { ...claims, exp: now - 60 } })],
        [
          'that is not yet valid',
          'token_not_yet_valid',
          () => token({ claims: { ...claims, nbf: now + 600 } }),
        ],
        [
          'for another audience',
          'token_audience',
          () => token({ claims: { ...claims, aud: 'https://other' } }),
        ],
        ['of another issuer', 'token_issuer', () => token({ claims: { ...claims, iss: 'https://other' } })],
        [
          'with a claim twice',
          'token_claims',
          () => token({ claims: JSON.stringify(claims).replace('{', `{"iss":"${issuer}",`) }),
        ],
      ] as const
    ).map(
      ([title, reason, presented]) =>
        [`with a token ${title}`, reason, 401, invalid, () => ({ fields: [authorization(presented())] })] as [
          string,
          string,
          number,
          string,
          () => Parameters<typeof post>[0],
        ],
    ),
  ])('%s: %s', async (_, reason, status, challenge, options) => {
    const { response, record } = await refusalOf(options());
    expect(statusOf(response)).toBe(status);
    expect(response.field('www-authenticate')).toBe(challenge);
    expect(record).toMatchObject({ reason, status });
    // The response does not say which of the conditions failed.
    expect(response.body.toString()).not.toContain(reason);
  });
});

it('a client that awaits 100 Continue gets the 401 instead, and the host nothing', async () => {
  const before = stage.host.connectionCount;
  await using client = await stage.connect();
  const head = post({ fields: ['Expect: 100-continue', authorization('abc')], body: 'x'.repeat(10) });
  const response = await client.exchange(head.subarray(0, head.length - 10));
  expect(statusOf(response)).toBe(401);
  expect(stage.host.connectionCount).toBe(before);
});

it('a connection serves a good message after a refused one', async () => {
  await using client = await stage.connect();
  expect(statusOf(await client.exchange(post({ fields: [authorization('abc')] })))).toBe(401);
  expect(statusOf(await client.exchange(post({ fields: [authorization(token())] })))).toBe(200);
});

it('mode: shadow refuses nothing, and records what it would have refused', async () => {
  const response = await stage.send(post({ target: '/shadow', fields: [authorization('abc')] }));
  expect(statusOf(response)).toBe(200);
  expect(await recordOf(stage.host.requests.at(-1)?.field('x-request-id'))).toMatchObject({
    status: 200,
    reason: null,
    policies: { token: null, shadow: ['token_malformed'] },
  });
});

it('verdicts are counted by route and mode', async () => {
  const another = stage.authority.issueClient();
  await stage.send(post({ fields: [authorization(token())] }));
  await stage.send(post({ fields: [authorization(token())] }), { leaf: another });
  await stage.send(post({ target: '/shadow', fields: [authorization(token())] }));
  await stage.send(post({ target: '/shadow', fields: [authorization('abc')] }));
  for (const labels of [
    '{route="/",verdict="allow",mode="enforce"}',
    '{route="/",verdict="token_binding",mode="enforce"}',
    '{route="/shadow",verdict="allow",mode="shadow"}',
    '{route="/shadow",verdict="token_malformed",mode="shadow"}',
  ])
    await metricsWhen(stage.gateway, (samples) => samples.has(`ehi_bearer_verdicts_total${labels}`));
});

it('a changed key set is in use after a reload: tokens of a removed key are refused at once', async () => {
  const presented = token({ key: rsa, alg: 'PS256', header: { typ: 'at+jwt', kid: 'rsa' } });
  await using client = await stage.connect();
  const message = post({ fields: [authorization(presented)] });
  expect(statusOf(await client.exchange(message))).toBe(200);
  await stage.gateway.write('keys.json', keySetOf(publicJwk(ec, { kid: 'ec' })));
  await stage.reload();
  await using _keys = { [Symbol.asyncDispose]: restoreKeys };
  const response = await client.exchange(message);
  expect(statusOf(response)).toBe(401);
  expect(await recordOf(response.field('x-request-id'))).toMatchObject({ reason: 'token_key_unknown' });
  expect(statusOf(await client.exchange(post({ fields: [authorization(token())] })))).toBe(200);
});

async function restoreKeys(): Promise<void> {
  await stage.gateway.write('keys.json', keys);
  await stage.reload();
}

it('no part of a token is in any output of the gateway', async () => {
  const another = stage.authority.issueClient();
  const response = await stage.send(post({ fields: [authorization(token())] }), { leaf: another });
  await recordOf(response.field('x-request-id'));
  const metrics = await stage.gateway.metrics();
  const everything = `${stage.gateway.stdout}${stage.gateway.stderr}${metrics}`;
  const [head, payload, signature] = token().split('.') as [string, string, string];
  expect(everything).toContain('token_binding');
  for (const part of [head, payload, signature.slice(0, 20)]) expect(everything).not.toContain(part);
  expect(everything).not.toContain('eyJ');
});
