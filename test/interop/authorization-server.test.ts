/** The authorization server and the client of these tests by themselves: the tokens are what RFC 8705, 9068 and 7662 say. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey } from '../../src/pki/key.ts';
import { temporaryFolder } from '../support/folder.ts';
import { selfSigned } from '../support/identity/self-signed.ts';
import {
  type AuthorizationServer,
  openAuthorizationServer,
  type TokenAlgorithm,
} from '../support/oauth/authorization-server.ts';
import { introspecting, registerByAuthority, registerByKeySet } from '../support/oauth/clients.ts';
import { openMutualTlsFetch } from '../support/oauth/mutual-tls-fetch.ts';
import { openTokenClient } from '../support/oauth/token-client.ts';
import { authority } from '../support/pki/authority.ts';
import { runCommand } from '../support/process/command.ts';

const pki = authority();
const client = pki.issueClient();
const stranger = authority({ name: 'Stranger' }).issueClient();
const mosaic = selfSigned('mosaic');
const resource = (format: string) => `https://gateway.example/${format}`;
const algorithms: readonly TokenAlgorithm[] = ['PS256', 'ES256', 'EdDSA', 'RS256'];
const introspector = {
  secret: 'introspection-secret',
  key: makeKey('P-256'),
  leaf: pki.issueClient({ subject: { C: 'GB', O: 'Example', CN: 'gateway' } }),
};
const opened = new AsyncDisposableStack();
let server: AuthorizationServer;

beforeAll(async () => {
  server = opened.use(
    await openAuthorizationServer({
      clientAnchors: pki.anchorPem,
      clients: [
        registerByAuthority('by-authority', client),
        registerByKeySet('by-key-set', await writtenKeySet(mosaic.pem)),
        introspecting.bySecret('gateway-secret', introspector.secret),
        introspecting.byAssertion('gateway-assertion', await publicJwk()),
        introspecting.byCertificate('gateway-certificate', introspector.leaf),
      ],
      resources: Object.fromEntries(
        [...algorithms, 'opaque' as const].map((format) => [
          resource(format),
          { format, scope: 'ehi admin' },
        ]),
      ),
    }),
  );
});
afterAll(() => opened.disposeAsync());

/** What `certs jwks` writes for a certificate. */
async function writtenKeySet(pem: string): Promise<{ keys: object[] }> {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'client.pem'), pem);
  const written = await runCommand(['certs', 'jwks', 'client.pem', '--out', 'jwks.json'], {
    cwd: folder.path,
  });
  expect(written).toMatchObject({ code: 0 });
  return JSON.parse(await readFile(join(folder.path, 'jwks.json'), 'utf8'));
}

async function publicJwk() {
  const { d: _, ...jwk } = await exportJWK(introspector.key);
  return { ...jwk, kid: 'gateway-assertion', use: 'sig', alg: 'ES256' };
}

const thumbprintOf = ({ der }: { readonly der: Buffer }) =>
  createHash('sha256').update(der).digest('base64url');

/** Asks the introspection endpoint as the gateway will. */
async function introspect(
  parameters: Record<string, string>,
  options: { readonly headers?: Record<string, string>; readonly leaf?: typeof introspector.leaf } = {},
) {
  const { headers = {}, leaf } = options;
  await using mutualTls = openMutualTlsFetch({ ca: server.pki.root.pem, leaf });
  const response = await mutualTls.fetch(server.endpoints.introspection, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(parameters).toString(),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const basic = (secret: string) => ({
  authorization: `Basic ${Buffer.from(`gateway-secret:${secret}`).toString('base64')}`,
});

describe('the authorization server', () => {
  it.each(algorithms)(
    'issues a JWT access token that is bound to the certificate, signed with %s',
    async (alg) => {
      await using tokens = await openTokenClient({ server, id: 'by-authority', leaf: client });
      const token = await tokens.token(resource(alg), 'ehi');
      expect(decodeProtectedHeader(token)).toEqual({ alg, kid: `as-${alg}`, typ: 'at+jwt' });
      await using tls = openMutualTlsFetch({ ca: server.pki.root.pem });
      const published = (await (await tls.fetch(server.endpoints.jwks)).json()) as JSONWebKeySet;
      const keys = createLocalJWKSet(published);
      const { payload } = await jwtVerify(token, keys, { issuer: server.issuer, audience: resource(alg) });
      expect(payload).toMatchObject({
        ...{ client_id: 'by-authority', sub: 'by-authority', scope: 'ehi' },
        cnf: { 'x5t#S256': thumbprintOf(client) },
      });
    },
  );

  it('issues a token to a self-signed client that is registered by what `certs jwks` wrote', async () => {
    await using tokens = await openTokenClient({ server, id: 'by-key-set', leaf: mosaic });
    const { cnf } = decodeJwt(await tokens.token(resource('ES256')));
    expect(cnf).toEqual({ 'x5t#S256': thumbprintOf(mosaic) });
  });

  it.each([
    ['a certificate of another CA', 'by-authority', stranger],
    ['another certificate of the same CA', 'by-authority', introspector.leaf],
    ['a self-signed certificate that is not registered', 'by-key-set', selfSigned('mosaic')],
  ])('issues no token for %s', async (_, id, leaf) => {
    await using tokens = await openTokenClient({ server, id, leaf });
    await expect(tokens.token(resource('ES256'))).rejects.toMatchObject({
      error: 'invalid_client',
      status: 401,
    });
  });

  it('answers about an opaque token each gateway that authenticates, with the thumbprint of the client', async () => {
    await using tokens = await openTokenClient({ server, id: 'by-authority', leaf: client });
    const token = await tokens.token(resource('opaque'), 'ehi');
    expect(token).not.toContain('.');
    const assertion = await new SignJWT({ jti: 'assertion-1' })
      .setProtectedHeader({ alg: 'ES256', kid: 'gateway-assertion' })
      .setIssuer('gateway-assertion')
      .setSubject('gateway-assertion')
      .setAudience(server.endpoints.introspection)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(introspector.key);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const answers = [
      await introspect({ token }, { headers: basic(introspector.secret) }),
      await introspect({ token, client_assertion: assertion, client_assertion_type: type }),
      await introspect({ token, client_id: 'gateway-certificate' }, { leaf: introspector.leaf }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 200,
        body: {
          ...{ active: true, client_id: 'by-authority', scope: 'ehi', iss: server.issuer },
          aud: resource('opaque'),
          cnf: { 'x5t#S256': thumbprintOf(client) },
        },
      });
    }
  });

  it('answers `active: false` about an unknown token, and 401 to a wrong secret', async () => {
    expect(await introspect({ token: 'unknown' }, { headers: basic(introspector.secret) })).toEqual({
      status: 200,
      body: { active: false },
    });
    expect(await introspect({ token: 'unknown' }, { headers: basic('wrong') })).toMatchObject({
      status: 401,
    });
  });
});
