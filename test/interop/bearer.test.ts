/** Tokens of a real authorization server, got by a real client over mutual TLS, at the real gateway. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKey } from '../../src/pki/key.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { selfSigned, setFor } from '../support/identity/self-signed.ts';
import {
  type AuthorizationServer,
  openAuthorizationServer,
  type TokenAlgorithm,
} from '../support/oauth/authorization-server.ts';
import { introspecting, registerByAuthority, registerByKeySet } from '../support/oauth/clients.ts';
import { openTokenClient, type TokenClient } from '../support/oauth/token-client.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { runCommand } from '../support/process/command.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority();
const unit = { O: 'Example', OU: 'Example organisation' };
const client = pki.issueClient();
const other = pki.issueClient({ subject: { ...unit, CN: 'Example other client' } });
const mosaic = selfSigned('mosaic');
const introspector = pki.issueClient({ subject: { O: 'Example', CN: 'gateway' } });
const assertionKey = makeKey('P-256');
const secret = 'introspection secret: +%/';
const algorithms: readonly TokenAlgorithm[] = ['PS256', 'ES256', 'EdDSA', 'RS256'];
const indicator = (name: string) => `https://gateway.example/${name}`;

const opened = new AsyncDisposableStack();
let server: AuthorizationServer;
let tokens: TokenClient;
let stage: Stage;

async function openServer(): Promise<AuthorizationServer> {
  const { d: _, ...publicJwk } = await exportJWK(assertionKey);
  return openAuthorizationServer({
    clientAnchors: pki.anchorPem,
    clients: [
      registerByAuthority('ehi-client', client),
      registerByKeySet('mosaic', JSON.parse(setFor(mosaic))),
      introspecting.bySecret('gateway:secret', secret),
      introspecting.byAssertion('gateway-assertion', { ...publicJwk, kid: 'gateway-1', alg: 'ES256' }),
      introspecting.byCertificate('gateway-certificate', introspector),
    ],
    resources: Object.fromEntries([
      ...algorithms.map((format) => [indicator(format), { format, scope: 'ehi admin' }] as const),
      [indicator('opaque'), { format: 'opaque', scope: 'ehi admin' }],
      [indicator('elsewhere'), { format: 'ES256', scope: 'ehi' }],
      [indicator('opaque-elsewhere'), { format: 'opaque', scope: 'ehi' }],
    ]),
  });
}

function routesFor({ issuer, endpoints }: AuthorizationServer) {
  const common = { issuer, scopes: ['ehi'] };
  const jwks = { uri: endpoints.jwks, ca: 'as.pem' };
  const asks = (auth: object) => ({
    ...common,
    audience: indicator('opaque'),
    introspection: { endpoint: endpoints.introspection, ca: 'as.pem', timeout: '20s', auth },
  });
  const bySecret = { kind: 'client_secret_basic', clientId: 'gateway:secret', secretFile: 'secret' };
  const byAssertion = {
    ...{ kind: 'private_key_jwt', clientId: 'gateway-assertion', keyFile: 'assertion.key' },
    ...{ kid: 'gateway-1', algorithm: 'ES256' },
  };
  const byCertificate = {
    ...{ kind: 'tls_client_auth', clientId: 'gateway-certificate' },
    ...{ chain: 'introspector.pem', key: 'introspector.key' },
  };
  return [
    { path: '/', bearer: undefined },
    { path: '/jwt', bearer: { ...common, audience: algorithms.map(indicator), jwks } },
    { path: '/stripped', bearer: { ...common, audience: indicator('ES256'), jwks, pass: 'strip' } },
    { path: '/secret', bearer: asks(bySecret) },
    { path: '/assertion', bearer: asks(byAssertion) },
    { path: '/certificate', bearer: asks(byCertificate) },
    {
      path: '/either',
      bearer: { ...asks(bySecret), jwks, audience: ['ES256', 'opaque'].map(indicator) },
    },
  ];
}

beforeAll(async () => {
  server = opened.use(await openServer());
  tokens = opened.use(await openTokenClient({ server, id: 'ehi-client', leaf: client }));
  stage = opened.use(
    await openStage({
      authority: pki,
      routes: routesFor(server),
      named: true,
      files: {
        'as.pem': server.pki.root.pem,
        secret,
        'assertion.key': assertionKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        'introspector.pem': introspector.chainPem,
        'introspector.key': introspector.keyPem,
      },
    }),
  );
});
afterAll(() => opened.disposeAsync());

/** Messages so far: each has a path of its own, by which its record is found. */
let sent = 0;

/** One message on its own connection; resolves with status, challenge, what the host got, and the audit record. */
async function send(target: string, options: { token?: string; leaf?: Leaf } = {}) {
  const { token, leaf = client } = options;
  const before = stage.host.requests.length;
  sent += 1;
  const path = `${target === '/' ? '' : target}/message-${sent}`;
  const fields = token === undefined ? [] : [`Authorization: Bearer ${token}`];
  const answer = await stage.send(post({ target: path, fields }), { leaf });
  const record = await stage.gateway.audit((each) => each.type === 'message' && each.path === path);
  return {
    status: statusOf(answer),
    challenge: answer.field('www-authenticate'),
    received: stage.host.requests.slice(before),
    record,
  };
}

/** Refused with 401 as RFC 6750 §3.1 says, and nothing reached the host. */
async function expectRefusal(
  target: string,
  reason: string,
  options: { token?: string; leaf?: Leaf },
): Promise<void> {
  const { status, challenge, received, record } = await send(target, options);
  expect([status, challenge]).toEqual([401, 'Bearer error="invalid_token"']);
  expect(received).toEqual([]);
  expect(record).toMatchObject({ outcome: 'denied', reason });
}

describe('a JWT access token', () => {
  it.each(algorithms)('signed with %s passes with its certificate, and with no other', async (algorithm) => {
    const token = await tokens.token(indicator(algorithm), 'ehi');
    const { status, received, record } = await send('/jwt', { token });
    expect(status).toBe(200);
    expect(received.map((request) => request.field('authorization'))).toEqual([`Bearer ${token}`]);
    const known = { client_id: 'ehi-client', subject: 'ehi-client', key_id: `as-${algorithm}`, how: 'jwt' };
    expect(record).toMatchObject({ outcome: 'answered', policies: { token: known } });
    await expectRefusal('/jwt', 'token_binding', { token, leaf: other });
    // The refusal of another certificate does not spoil the token for its own.
    expect((await send('/jwt', { token })).status).toBe(200);
  });

  it('is not forwarded to the host under `pass: strip`', async () => {
    const token = await tokens.token(indicator('ES256'), 'ehi');
    const { status, received } = await send('/stripped', { token });
    expect(status).toBe(200);
    expect(received.map((request) => request.field('authorization'))).toEqual([undefined]);
  });

  it('for another audience is refused', async () => {
    const token = await tokens.token(indicator('elsewhere'), 'ehi');
    await expectRefusal('/jwt', 'token_audience', { token });
  });

  it('without the scope is refused with 403 and the scope that is demanded', async () => {
    const token = await tokens.token(indicator('ES256'), 'admin');
    const { status, challenge, received, record } = await send('/jwt', { token });
    expect([status, challenge]).toEqual([403, 'Bearer error="insufficient_scope", scope="ehi"']);
    expect(received).toEqual([]);
    expect(record.reason).toBe('token_scope');
  });

  it('of another authorization server is refused', async () => {
    await using impostor = await openServer();
    await using impostorTokens = await openTokenClient({ server: impostor, id: 'ehi-client', leaf: client });
    const token = await impostorTokens.token(indicator('ES256'), 'ehi');
    // The same `kid`, another key.
    await expectRefusal('/jwt', 'token_signature', { token });
  });
});

describe('an opaque token', () => {
  it.each(['/secret', '/assertion', '/certificate'])(
    'passes with its certificate, and with no other, where the gateway introspects as %s',
    async (target) => {
      const token = await tokens.token(indicator('opaque'), 'ehi');
      const { status, record } = await send(target, { token });
      expect(status).toBe(200);
      const known = { client_id: 'ehi-client', key_id: null, how: 'introspection' };
      expect(record).toMatchObject({ outcome: 'answered', policies: { token: known } });
      await expectRefusal(target, 'token_binding', { token, leaf: other });
    },
  );

  it('that the server does not know is refused', async () => {
    await expectRefusal('/secret', 'token_inactive', { token: 'unknown' });
  });

  it('for another audience is refused', async () => {
    const token = await tokens.token(indicator('opaque-elsewhere'), 'ehi');
    await expectRefusal('/secret', 'token_audience', { token });
  });

  it('is asked for once, however often it is presented', async () => {
    const token = await tokens.token(indicator('opaque'), 'ehi');
    const asked = () => server.requests.filter((path) => path.endsWith('/introspection')).length;
    const before = asked();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('/secret', { token })));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await send('/secret', { token })).status).toBe(200);
    expect(asked() - before).toBe(1);
  });
});

it('takes a JWT and an opaque token on a route with a key set and introspection', async () => {
  for (const name of ['ES256', 'opaque']) {
    const token = await tokens.token(indicator(name), 'ehi');
    expect((await send('/either', { token })).status).toBe(200);
    await expectRefusal('/either', 'token_binding', { token, leaf: other });
  }
});

it('answers a message without a token 401 with a challenge and no error code; a route without `bearer` asks for none', async () => {
  const { status, challenge, received, record } = await send('/jwt');
  expect([status, challenge]).toEqual([401, 'Bearer realm="ehi-gateway", scope="ehi"']);
  expect(received).toEqual([]);
  expect(record).toMatchObject({ outcome: 'denied', reason: 'token_missing', policies: { token: null } });
  expect((await send('/')).status).toBe(200);
});

it('takes a token of a self-signed client that is registered by a key set, at the authorization server and here', async () => {
  await using mosaicTokens = await openTokenClient({ server, id: 'mosaic', leaf: mosaic });
  const bearer = {
    ...{ issuer: server.issuer, audience: indicator('ES256') },
    jwks: { uri: server.endpoints.jwks, ca: 'as.pem' },
  };
  await using registering = await openStage({
    routes: [{ path: '/', bearer }],
    files: { 'as.pem': server.pki.root.pem, 'clients.json': setFor(mosaic) },
    config: {
      trust: { mode: 'registered', cacheDir: 'trust' },
      clients: { registered: { jwks: { file: 'clients.json' } } },
    },
  });
  const ownToken = await mosaicTokens.token(indicator('ES256'));
  const statusWith = async (token: string, leaf = mosaic) =>
    statusOf(
      await registering.send(post({ fields: [`Authorization: Bearer ${token}`] }), {
        ca: registering.authority.root.pem,
        leaf,
      }),
    );
  expect(await statusWith(ownToken)).toBe(200);
  expect(await statusWith(await tokens.token(indicator('ES256')))).toBe(401);
  expect(await statusWith(ownToken, selfSigned('mosaic'))).toBe(403);
});

it('passes the token checks of `doctor`', async () => {
  await using folder = await temporaryFolder();
  const files = {
    ...{ 'root.pem': pki.root.pem, 'client.pem': client.chainPem, 'client.key': client.keyPem },
    ...{ 'other.pem': other.chainPem, 'other.key': other.keyPem },
    token: `${await tokens.token(indicator('ES256'), 'ehi')}\n`,
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder.path, name), content, { mode: 0o600 });
  const args = [
    ...['doctor', `https://127.0.0.1:${stage.gateway.port}/jwt`, '--ca', 'root.pem', '--json'],
    ...['--cert', 'client.pem', '--key', 'client.key', '--token-file', 'token'],
    ...['--other-cert', 'other.pem', '--other-key', 'other.key', '--count', '1', '--budget', '10000'],
  ];
  const examine = async (): Promise<{ id: string; outcome: string; fact: string }[]> =>
    JSON.parse((await runCommand(args, { cwd: folder.path })).stdout).checks;
  // On a busy machine 100 Continue may come late.
  const checks = await eventually(
    examine,
    (all) => all.find(({ id }) => id === 'message-continue')?.outcome !== 'fail',
  );
  const factsOf = (group: string) =>
    checks.filter(({ id }) => id.startsWith(group)).map(({ id, outcome, fact }) => [id, outcome, fact]);
  expect(factsOf('token-')).toEqual([
    ['token-missing', 'pass', '401, Bearer'],
    ['token-altered', 'pass', '401, Bearer, error invalid_token'],
    ['token-bound', 'pass', '401, Bearer, error invalid_token'],
  ]);
  expect(factsOf('message-').map(([, outcome]) => outcome)).toEqual(['pass', 'pass', 'pass', 'pass']);
});

it('writes no token and no secret in its records, its log and its metrics', async () => {
  const written = stage.gateway.stdout + stage.gateway.stderr + (await stage.gateway.metrics());
  expect(written).toContain('ehi_bearer_verdicts_total');
  for (const each of ['eyJ', secret, 'PRIVATE KEY']) expect(written).not.toContain(each);
});
