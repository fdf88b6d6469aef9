/** The demo's tokens, over real mutual TLS and read by another library's rules. */
import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAuthorizationServer, issuerAt } from '../../src/demo/authorization-server.ts';
import { openMutualTlsFetch } from '../support/oauth/mutual-tls-fetch.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';

const pki = authority();
const [leaf, server] = [pki.issueClient(), pki.issueServer()];
const audience = 'https://127.0.0.1:8443/bound';
let listening: Listening;

beforeAll(async () => {
  listening = await listenOnLoopback(
    await createAuthorizationServer({
      ...{ cert: server.chainPem, key: server.keyPem, ca: pki.root.pem },
      audience,
    }),
  );
});
afterAll(() => listening.close());

async function ask(options: { path: string; leaf?: Leaf; form?: Record<string, string> }) {
  await using tls = openMutualTlsFetch({ ca: pki.root.pem, leaf: options.leaf });
  const { form } = options;
  const body = new URLSearchParams(form).toString();
  const response = await tls.fetch(`${issuerAt(listening.port)}${options.path}`, {
    ...(form === undefined ? {} : { method: 'POST', body }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test fails on what is not there
  return { status: response.status, body: (await response.json()) as any };
}

const grant = { grant_type: 'client_credentials' };

it('issues a token that names the certificate of the connection, signed with the published key', async () => {
  const { status, body } = await ask({ path: '/token', leaf, form: grant });
  expect([status, body.token_type, body.scope]).toEqual([200, 'Bearer', 'ehi']);
  const keys = await ask({ path: '/jwks.json' });
  expect(JSON.stringify(keys.body)).not.toContain('"d"');
  const issuer = issuerAt(listening.port);
  const { payload } = await jwtVerify(body.access_token, createLocalJWKSet(keys.body), {
    ...{ issuer, audience, typ: 'at+jwt' },
  });
  expect(payload).toMatchObject({
    ...{ client_id: 'Example client', sub: 'Example client', scope: 'ehi' },
    cnf: { 'x5t#S256': createHash('sha256').update(leaf.der).digest('base64url') },
  });
  expect(decodeProtectedHeader(body.access_token).alg).toBe('ES256');
});

it.each([
  ['without a certificate', { form: grant }, 401, 'invalid_client'],
  [
    'with a certificate of another CA',
    { form: grant, leaf: authority().issueClient() },
    401,
    'invalid_client',
  ],
  ['for another grant', { form: { grant_type: 'password' }, leaf }, 400, 'unsupported_grant_type'],
  ['in a long form', { form: { ...grant, more: 'x'.repeat(5000) }, leaf }, 413, 'invalid_request'],
  ['by GET', { leaf }, 404, 'not_found'],
])('issues no token %s', async (_, request, status, error) => {
  expect(await ask({ path: '/token', ...request })).toEqual({ status, body: { error } });
});
