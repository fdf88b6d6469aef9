import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type IntrospectionReport, Introspections } from '../../src/introspection/service.ts';
import type { IntrospectionAuth, IntrospectionSettings } from '../../src/introspection/settings.ts';
import { makeKey } from '../../src/pki/key.ts';
import { eventually } from '../support/eventually.ts';
import { type IntrospectionServer, openIntrospectionServer } from '../support/jose/introspection-server.ts';

let server: IntrospectionServer;
const now = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  server = await openIntrospectionServer();
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => {
  server.requests.length = 0;
  server.answers.clear();
  server.misbehaviour = null;
});

const basic: IntrospectionAuth = { kind: 'client_secret_basic', clientId: 'gateway', secret: 'secret' };

function settings(changes: Partial<IntrospectionSettings> = {}): IntrospectionSettings {
  return {
    ...{ id: '/', endpoint: server.endpoint, ca: [server.pki.root.pem], auth: basic },
    ...{ cache: 30_000, timeout: 20_000, ...changes },
  };
}

interface Opened extends Disposable {
  readonly service: Introspections;
  readonly reports: IntrospectionReport[];
  readonly clock: { now: number };
}

function open(changes: Partial<IntrospectionSettings> = {}): Opened {
  const reports: IntrospectionReport[] = [];
  const clock = { now };
  const service = new Introspections({
    signal: new AbortController().signal,
    onRequest: (report) => reports.push(report),
    clock: () => clock.now,
  });
  service.update([settings(changes)]);
  return { service, reports, clock, [Symbol.dispose]: () => service.close() };
}

/** A response that ends the test when it is wanted: the request waits. */
function held() {
  const waiting: (() => void)[] = [];
  const listener: RequestListener = (_, response) =>
    void waiting.push(() =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":true}'),
    );
  return { waiting, listener };
}

describe('an answer', () => {
  it('has the claims of an active token, as RFC 8705 §3.2 shows them', async () => {
    using opened = open();
    server.answers.set('token', {
      active: true,
      iss: 'https://server.example.com',
      sub: 'ty.webb@example.com',
      exp: 1893726400,
      nbf: 1493722800,
      cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
    });
    expect(await opened.service.ask('/', 'token')).toMatchObject({
      status: 'active',
      until: now + 30_000,
      claims: {
        issuer: 'https://server.example.com',
        expires: 1893726400_000,
        confirmation: { thumbprint: 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' },
      },
    });
    expect(opened.reports).toMatchObject([{ endpoint: server.endpoint, result: 'active', problem: null }]);
  });

  it('is used again until its end, also that a token is not active', async () => {
    using opened = open();
    const { service, clock } = opened;
    expect(await service.ask('/', 'token')).toEqual({ status: 'inactive', until: now + 30_000 });
    server.answers.set('token', { active: true });
    clock.now = now + 29_999;
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'inactive' });
    expect(server.requests).toHaveLength(1);
    clock.now = now + 30_000;
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'active' });
  });

  it('is not used beyond the exp of the token', async () => {
    using opened = open();
    const { service, clock } = opened;
    server.answers.set('token', { active: true, exp: now / 1000 + 10 });
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'active', until: now + 10_000 });
    server.answers.clear();
    clock.now = now + 9_999;
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'active' });
    clock.now = now + 10_000;
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'inactive' });
  });

  it('is asked for once at a time for a token, and at the same time for others', async () => {
    using opened = open();
    const { waiting, listener } = held();
    server.misbehaviour = listener;
    const same = Array.from({ length: 50 }, () => opened.service.ask('/', 'token'));
    const others = ['a', 'b', 'c'].map((token) => opened.service.ask('/', token));
    await eventually(() => waiting.length === 4);
    for (const answer of waiting) answer();
    const answers = await Promise.all([...same, ...others]);
    expect(answers.every(({ status }) => status === 'active')).toBe(true);
    expect(server.requests.map(({ form }) => form.get('token')).sort()).toEqual(['a', 'b', 'c', 'token']);
  });

  it('comes over a connection that is used again', async () => {
    using opened = open();
    const ports = new Set<number | undefined>();
    server.misbehaviour = (request, response) => {
      ports.add(request.socket.remotePort);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":true}');
    };
    for (const token of ['a', 'b', 'c']) await opened.service.ask('/', token);
    expect(ports.size).toBe(1);
    expect(opened.reports).toHaveLength(3);
  });

  it('comes over a new connection if the server has closed the kept one', async () => {
    using opened = open();
    server.misbehaviour = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":true}');
    };
    await opened.service.ask('/', 'a');
    server.misbehaviour = (request, response) => {
      server.misbehaviour = null;
      response.socket?.destroy();
      request.destroy();
    };
    server.answers.set('b', { active: true });
    expect(await opened.service.ask('/', 'b')).toMatchObject({ status: 'active' });
  });
});

describe('the gateway authenticates', () => {
  it('by client_secret_basic, both parts form-encoded (RFC 6749 §2.3.1)', async () => {
    using opened = open({
      auth: { kind: 'client_secret_basic', clientId: 'a:b', secret: 'c d%é' },
    });
    await opened.service.ask('/', 'token');
    const [request] = server.requests;
    const [scheme, credentials = ''] = request?.headers.authorization?.split(' ') ?? [];
    expect(scheme).toBe('Basic');
    expect(Buffer.from(credentials, 'base64').toString()).toBe('a%3Ab:c+d%25%C3%A9');
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      token: 'token',
      token_type_hint: 'access_token',
    });
  });

  it('by private_key_jwt (RFC 7523 §3), with another jti each time', async () => {
    const key = makeKey('P-256');
    using opened = open({
      auth: {
        ...{ kind: 'private_key_jwt', clientId: 'gateway', key, kid: 'k', algorithm: 'ES256' },
        audience: 'https://as.example.com',
      },
    });
    for (const token of ['a', 'b']) await opened.service.ask('/', token);
    const ids = new Set<unknown>();
    for (const { form, headers } of server.requests) {
      expect(headers.authorization).toBe(undefined);
      expect(form.get('client_id')).toBe('gateway');
      expect(form.get('client_assertion_type')).toBe(
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      );
      const { payload, protectedHeader } = await jwtVerify(
        form.get('client_assertion') ?? '',
        createPublicKey(key),
        { issuer: 'gateway', subject: 'gateway', audience: 'https://as.example.com', maxTokenAge: '10m' },
      );
      expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'k' });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
      ids.add(payload.jti);
    }
    expect(ids.size).toBe(2);
  });

  it('by tls_client_auth (RFC 8705 §2.1)', async () => {
    const leaf = server.pki.issueClient();
    using opened = open({
      auth: {
        kind: 'tls_client_auth',
        clientId: 'gateway',
        certificate: { chain: leaf.chainPem, key: leaf.keyPem },
      },
    });
    await opened.service.ask('/', 'token');
    expect(server.requests).toMatchObject([{ client: 'Authorization client' }]);
    expect(server.requests[0]?.form.get('client_id')).toBe('gateway');
  });
});

describe('no answer', () => {
  const json = { 'content-type': 'application/json' };
  it.each<[string, IntrospectionReport['result'], RequestListener]>([
    ['a status of 401', 'status', (_, response) => response.writeHead(401, json).end('{"active":true}')],
    ['a status of 503', 'status', (_, response) => response.writeHead(503).end()],
    ['a redirect', 'status', (_, response) => response.writeHead(307, { location: '/introspect' }).end()],
    [
      'HTML',
      'invalid',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['no Content-Type', 'invalid', (_, response) => response.writeHead(200).end('{"active":true}')],
    ['no JSON', 'invalid', (_, response) => response.writeHead(200, json).end('active')],
    ['a member twice', 'invalid', (_, r) => r.writeHead(200, json).end('{"active":true,"active":false}')],
    ['active as a text', 'invalid', (_, response) => response.writeHead(200, json).end('{"active":"true"}')],
    ['no active', 'invalid', (_, response) => response.writeHead(200, json).end('{}')],
    ['a list', 'invalid', (_, response) => response.writeHead(200, json).end('[{"active":true}]')],
    [
      'a claim of the wrong type',
      'invalid',
      (_, response) => response.writeHead(200, json).end('{"active":true,"exp":"1"}'),
    ],
    [
      'more than 64 KiB',
      'invalid',
      (_, response) => response.writeHead(200, json).end(`{"active":true,"a":"${'a'.repeat(65_536)}"}`),
    ],
    [
      'a Content-Encoding',
      'invalid',
      (_, response) =>
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('{"active":true}'),
    ],
    ['a connection that ends', 'unreachable', (request) => request.socket.destroy()],
    [
      'a switch of protocols',
      'unreachable',
      ({ socket }) =>
        void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
    [
      'half a response',
      'unreachable',
      (request, response) => {
        response.writeHead(200, { ...json, 'content-length': 100 });
        response.write('{"active":true', () => request.socket.destroy());
      },
    ],
  ])('comes of %s, and the next message asks again', async (_, result, misbehaviour) => {
    using opened = open();
    const { service, reports } = opened;
    server.misbehaviour = misbehaviour;
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'failed' });
    expect(reports.at(-1)?.result).toBe(result);
    // The endpoint may be named; the token, the secret and the response never.
    expect(reports.at(-1)?.problem).not.toMatch(/token|secret|active"|html/);
    server.misbehaviour = null;
    server.answers.set('token', { active: true });
    expect(await service.ask('/', 'token')).toMatchObject({ status: 'active' });
  });

  it('comes of a server that does not answer in time', async () => {
    using opened = open({ timeout: 50 });
    server.misbehaviour = () => {};
    expect(await opened.service.ask('/', 'token')).toEqual({
      status: 'failed',
      cause: 'no answer within 50 ms',
    });
    expect(opened.reports).toMatchObject([{ result: 'timeout' }]);
  });

  it('comes of a server whose response never ends', async () => {
    using opened = open({ timeout: 50 });
    server.misbehaviour = (_, response) => response.writeHead(200, json).write('{');
    expect(await opened.service.ask('/', 'token')).toMatchObject({ status: 'failed' });
    expect(opened.reports).toMatchObject([{ result: 'timeout' }]);
  });

  it('comes of a server that the CA did not issue: the token is not sent', async () => {
    const other = await openIntrospectionServer();
    await using _ = other;
    using opened = open({ endpoint: other.endpoint });
    expect(await opened.service.ask('/', 'token')).toMatchObject({ status: 'failed' });
    expect(opened.reports).toMatchObject([{ result: 'unreachable' }]);
    expect(other.requests).toEqual([]);
  });

  it('comes of a port where nothing listens', async () => {
    const other = await openIntrospectionServer();
    await other.close();
    using opened = open({ endpoint: other.endpoint });
    expect(await opened.service.ask('/', 'token')).toEqual({
      status: 'failed',
      cause: 'no answer (ECONNREFUSED)',
    });
  });

  it('comes for an endpoint that is not configured', async () => {
    using opened = open();
    expect(await opened.service.ask('/other', 'token')).toMatchObject({ status: 'failed' });
    expect(server.requests).toEqual([]);
  });
});

describe('a reload', () => {
  it('keeps the answers of an endpoint whose settings are the same', async () => {
    const key = makeKey('P-256');
    const pem = key.export({ type: 'pkcs8', format: 'pem' });
    const auth = { kind: 'private_key_jwt', clientId: 'gateway', kid: null, algorithm: 'ES256' } as const;
    const audience = 'https://as.example.com';
    using opened = open({ auth: { ...auth, audience, key } });
    await opened.service.ask('/', 'token');
    // The key is read again, and is another object.
    opened.service.update([settings({ auth: { ...auth, audience, key: createPrivateKey(pem) } })]);
    await opened.service.ask('/', 'token');
    expect(server.requests).toHaveLength(1);
    opened.service.update([settings({ auth: { ...auth, audience, key: makeKey('P-256') } })]);
    await opened.service.ask('/', 'token');
    expect(server.requests).toHaveLength(2);
  });

  it('with other settings does not end the requests that are under way', async () => {
    using opened = open();
    const { waiting, listener } = held();
    server.misbehaviour = listener;
    const asked = opened.service.ask('/', 'token');
    await eventually(() => waiting.length === 1);
    opened.service.update([settings({ auth: { ...basic, secret: 'other' } })]);
    for (const answer of waiting) answer();
    expect(await asked).toMatchObject({ status: 'active' });
    opened.service.update([]);
    await eventually(() => server.sockets.size === 0);
  });

  it('asks with the new credentials', async () => {
    using opened = open();
    await opened.service.ask('/', 'token');
    opened.service.update([settings({ auth: { ...basic, secret: 'other' } })]);
    await opened.service.ask('/', 'token');
    const sent = server.requests.map(({ headers }) => headers.authorization);
    expect(new Set(sent).size).toBe(2);
  });
});
