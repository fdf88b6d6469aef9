/** Opaque access tokens on the real gateway: introspection (RFC 7662), its answers and its failures. */
import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { type IntrospectionServer, openIntrospectionServer } from '../support/jose/introspection-server.ts';
import { post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const issuer = 'https://as.example.com';
const audience = 'https://gateway.example.com';

let server: IntrospectionServer;
let stage: Stage;
let active: Record<string, unknown>;
let tokens = 0;
const firstSecret = 'correct-horse-battery\n';

beforeAll(async () => {
  server = await openIntrospectionServer();
  const introspection = {
    endpoint: server.endpoint,
    ca: 'as-ca.pem',
    auth: { kind: 'client_secret_basic', clientId: 'gateway', secretFile: 'secret' },
    // Long enough for a busy machine, and for no test to reach its end.
    ...{ cache: '10m', timeout: '30s' },
  };
  const bearer = { issuer, audience, scopes: ['ehi'], introspection };
  stage = await openStage({
    files: { 'as-ca.pem': server.pki.root.pem, secret: firstSecret },
    routes: [
      { path: '/', bearer },
      { path: '/hasty', bearer: { ...bearer, introspection: { ...introspection, timeout: '50ms' } } },
      { path: '/any', bearer: { ...bearer, audience: 'any' } },
    ],
  });
  active = {
    ...{ active: true, aud: audience, scope: 'ehi read', client_id: 'client', token_type: 'Bearer' },
    cnf: { 'x5t#S256': parseCertificate(stage.leaf.der).thumbprint },
  };
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.misbehaviour = null;
  server.requests.length = 0;
});

/** A token that the server knows, and no test has used; null: one that it does not know. */
function tokenFor(answer: object | null): string {
  tokens += 1;
  const token = `opaque-token-${tokens}`;
  if (answer !== null) server.answers.set(token, answer);
  return token;
}

function message(token: string, target = '/') {
  return post({ target, fields: [`Authorization: Bearer ${token}`] });
}

async function recordOf(requestId: string | undefined): Promise<AuditRecord> {
  return stage.gateway.audit(({ type, request_id }) => type === 'message' && request_id === requestId);
}

async function expectRefusal(
  bytes: Uint8Array,
  { status, reason, leaf = stage.leaf }: { status: number; reason: string; leaf?: Stage['leaf'] },
) {
  const before = stage.host.connectionCount;
  const messages = stage.host.requests.length;
  const response = await stage.send(bytes, { leaf });
  expect(statusOf(response)).toBe(status);
  expect(await recordOf(response.field('x-request-id'))).toMatchObject({ reason, status });
  expect([stage.host.connectionCount, stage.host.requests.length]).toEqual([before, messages]);
  return response;
}

it('a token that the server calls active passes; it is asked once, with the credentials of the gateway', async () => {
  const token = tokenFor(active);
  await using client = await stage.connect();
  for (let count = 0; count < 5; count += 1)
    expect(statusOf(await client.exchange(message(token)))).toBe(200);
  expect(server.requests).toHaveLength(1);
  const [request] = server.requests;
  const credentials = Buffer.from('gateway:correct-horse-battery').toString('base64');
  expect(request?.headers.authorization).toBe(`Basic ${credentials}`);
  expect(request?.form.get('token')).toBe(token);
  expect(await recordOf(stage.host.requests.at(-1)?.field('x-request-id'))).toMatchObject({
    policies: { token: { client_id: 'client', subject: null, key_id: null, how: 'introspection' } },
  });
});

it('messages on many connections at the same time with one new token make one request', async () => {
  const token = tokenFor(active);
  const responses = await Promise.all(Array.from({ length: 20 }, () => stage.send(message(token))));
  expect(responses.map(statusOf)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(server.requests).toHaveLength(1);
});

it('the same token with another certificate gets 401, without another request', async () => {
  const token = tokenFor(active);
  expect(statusOf(await stage.send(message(token)))).toBe(200);
  const leaf = stage.authority.issueClient();
  const response = await expectRefusal(message(token), { status: 401, reason: 'token_binding', leaf });
  expect(response.field('www-authenticate')).toBe('Bearer error="invalid_token"');
  expect(server.requests).toHaveLength(1);
});

it.each<[string, string, number, () => object | null]>([
  ['is not active', 'token_inactive', 401, () => null],
  ['has no cnf', 'token_unbound', 401, () => ({ ...active, cnf: undefined })],
  ['is for another audience', 'token_audience', 401, () => ({ ...active, aud: 'https://other' })],
  ['states no audience', 'token_audience', 401, () => ({ ...active, aud: undefined })],
  ['is of another issuer', 'token_issuer', 401, () => ({ ...active, iss: 'https://other' })],
  ['has expired', 'token_expired', 401, () => ({ ...active, exp: Date.now() / 1000 - 60 })],
  ['has no scope', 'token_scope', 403, () => ({ ...active, scope: null })],
])('a token that %s is refused: %s', async (_, reason, status, answer) => {
  await expectRefusal(message(tokenFor(answer())), { status, reason });
});

it('audience: any accepts an answer without audience, as Authlete publishes it', async () => {
  const answer = { ...active, aud: undefined, iss: issuer, exp: Date.now() / 1000 + 600 };
  expect(statusOf(await stage.send(message(tokenFor(answer), '/any')))).toBe(200);
});

describe('without an answer that can be used', () => {
  const json = { 'content-type': 'application/json' };
  it.each<[string, RequestListener]>([
    ['a status of 401', (_, response) => response.writeHead(401, json).end()],
    ['a redirect', (_, response) => response.writeHead(302, { location: server.endpoint }).end()],
    ['HTML', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['a member twice', (_, r) => r.writeHead(200, json).end('{"active":false,"active":true}')],
    ['a connection that ends', (request) => request.socket.destroy()],
  ])('a message gets 503, and is served once the server answers again: %s', async (_, misbehaviour) => {
    const token = tokenFor(active);
    server.misbehaviour = misbehaviour;
    const response = await expectRefusal(message(token), { status: 503, reason: 'token_undecided' });
    expect(response.field('retry-after')).toBe('1');
    server.misbehaviour = null;
    expect(statusOf(await stage.send(message(token)))).toBe(200);
  });

  it('a message of a known token is served', async () => {
    const token = tokenFor(active);
    expect(statusOf(await stage.send(message(token)))).toBe(200);
    server.misbehaviour = (request) => request.socket.destroy();
    expect(statusOf(await stage.send(message(token)))).toBe(200);
  });

  it('a message waits no longer than introspection.timeout for a server that hangs', async () => {
    server.misbehaviour = () => {};
    await expectRefusal(message(tokenFor(active), '/hasty'), { status: 503, reason: 'token_undecided' });
    const line = await stage.gateway.logged(({ detail }) => detail === 'no answer within 50 ms');
    expect(line).toMatchObject({ endpoint: server.endpoint });
  });
});

it('the results of requests are counted', async () => {
  const answers: readonly [RequestListener | null, object | null, string?][] = [
    [null, active],
    [null, null],
    [() => {}, active, '/hasty'],
    [(request) => request.socket.destroy(), active],
    [(_, response) => response.writeHead(401).end(), active],
    [(_, response) => response.writeHead(200).end('no JSON'), active],
  ];
  for (const [misbehaviour, answer, target] of answers) {
    server.misbehaviour = misbehaviour;
    await stage.send(message(tokenFor(answer), target));
  }
  const results = ['active', 'inactive', 'timeout', 'unreachable', 'status', 'invalid'];
  const series = results.map((result) => `ehi_introspection_requests_total{result="${result}"}`);
  await metricsWhen(stage.gateway, (samples) =>
    [...series, 'ehi_introspection_seconds_count'].every((name) => (samples.get(name) ?? 0) > 0),
  );
});

it('a secret that changed in its file is in use after a reload', async () => {
  await stage.gateway.write('secret', 'another-secret-in-the-file');
  expect(await stage.reload()).toMatchObject({ changed: ['routes'] });
  expect(statusOf(await stage.send(message(tokenFor(active))))).toBe(200);
  const [request] = server.requests;
  const credentials = Buffer.from('gateway:another-secret-in-the-file').toString('base64');
  expect(request?.headers.authorization).toBe(`Basic ${credentials}`);
  await stage.gateway.write('secret', firstSecret);
  await stage.reload();
});

it('what another endpoint said of a token counts no more after a reload', async () => {
  const token = tokenFor(active);
  expect(statusOf(await stage.send(message(token)))).toBe(200);
  await using moved = await openIntrospectionServer();
  await stage.gateway.write('moved-ca.pem', moved.pki.root.pem);
  const auth = { kind: 'client_secret_basic', clientId: 'gateway', secretFile: 'secret' };
  const introspection = {
    ...{ endpoint: moved.endpoint, ca: 'moved-ca.pem', auth },
    ...{ cache: '10m', timeout: '30s' },
  };
  const bearer = { issuer, audience, scopes: ['ehi'], introspection };
  const routes = [{ path: '/', upstream: stage.host.url, deadline: '30s', bearer }];
  expect(await stage.reload({ routes })).toMatchObject({ event: 'reloaded' });
  await expectRefusal(message(token), { status: 401, reason: 'token_inactive' });
  expect(moved.requests).toHaveLength(1);
  expect(await stage.reload()).toMatchObject({ event: 'reloaded' });
});

it('no token and no secret is in any output of the gateway', async () => {
  await expectRefusal(message(tokenFor(null)), { status: 401, reason: 'token_inactive' });
  const { stdout, stderr } = stage.gateway;
  const everything = `${stdout}${stderr}${await stage.gateway.metrics()}`;
  expect(everything).toContain('token_inactive');
  for (const secret of ['opaque-token', 'correct-horse', 'another-secret'])
    expect(everything).not.toContain(secret);
});
