/** `clients.certificate: optional` in the real process: a client without a certificate, whose messages are signed. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { hmacOf } from '../support/jose/signed-body.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { handshakeFrom, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const secret = randomBytes(32).toString('hex');
const header = 'X-Signature';
const inFlight = 3;
let stage: Stage;

const withRoutes = (route: object) => ({
  routes: [{ path: '/', upstream: stage.host.url, deadline: '30s', ...route }],
});
const signature = { hmac: { secretFile: 'hmac.secret', header }, timestamp: { header: 'X-Time' } };
const clients = (certificate: string) => ({
  clients: {
    certificate,
    match: { commonName: 'Example client' },
    shadow: { pins: [`sha256/${'A'.repeat(43)}=`] },
  },
});
const identity = { headers: ['rfc9440', 'nginx', 'ingress-nginx', 'aws', 'envoy', 'forwarded'] };

beforeAll(async () => {
  stage = await openStage({
    named: false,
    files: { 'hmac.secret': secret },
    routes: [{ path: '/', signature }],
    config: { ...clients('optional'), identity, limits: { inFlightPerClient: inFlight } },
  });
});
afterAll(() => stage?.[Symbol.asyncDispose]());

/** A signed message; `claims`: fields by which a client could pose as another one. */
function signed(body = 'body', claims: readonly string[] = []): Buffer {
  const time = String(Date.now());
  return post({
    fields: [`X-Time: ${time}`, `${header}: ${hmacOf(secret, { time, body })}`, ...claims],
    body,
  });
}

const uncertified = (localAddress = '127.0.0.1') => stage.connect({ leaf: undefined, localAddress });

it('admits a client without a certificate, and its signed messages alone', async () => {
  await using client = await uncertified('127.0.0.2');
  const index = stage.host.requests.length;
  expect(statusOf(await client.exchange(signed()))).toBe(200);
  const refused = await client.exchange(post());
  expect(statusOf(refused)).toBe(403);
  expect(await messageOf(stage.gateway, refused)).toMatchObject({ reason: 'signature_missing' });
  expect(stage.host.requests).toHaveLength(index + 1);
  expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({
    verdict: 'allow',
    reason: null,
    leaf: null,
    anchor: null,
    revocation: null,
    // Conditions on certificates do not apply, in the shadow policy too.
    shadow: { verdict: 'allow', reasons: [], anchor: null },
  });
});

it('gives the host no certificate of such a client, and none that it claims to have', async () => {
  await using client = await uncertified('127.0.0.3');
  const index = stage.host.requests.length;
  const claims = [
    'Client-Cert: :AAAA:',
    'Client-Cert-Chain: :AAAA:',
    'X-SSL-Client-Verify: SUCCESS',
    'X-SSL-Client-S-DN: CN=Example client',
    'ssl-client-verify: SUCCESS',
    'ssl-client-subject-dn: CN=Example client',
    'X-Amzn-Mtls-Clientcert-Subject: CN=Example client',
    'X-Forwarded-Client-Cert: Hash=00',
  ];
  expect(statusOf(await client.exchange(signed('body', claims)))).toBe(200);
  const request = await stage.host.request(index);
  const names = claims.map((claim) => claim.split(':')[0]?.toLowerCase() ?? '');
  expect(Object.fromEntries(names.map((name) => [name, request.field(name)]))).toEqual({
    ...Object.fromEntries(names.map((name) => [name, undefined])),
    'x-ssl-client-verify': 'NONE',
    'ssl-client-verify': 'NONE',
  });
  expect(request.field('x-forwarded-for')).toBe('127.0.0.3');
  expect(request.field('forwarded')).toContain('for=127.0.0.3');
});

it('judges a certificate that is sent as if it were required', async () => {
  await using good = await stage.connect({ localAddress: '127.0.0.4' });
  const index = stage.host.requests.length;
  expect(statusOf(await good.exchange(signed()))).toBe(200);
  expect((await stage.host.request(index)).field('x-ssl-client-verify')).toBe('SUCCESS');
  const stranger = authority({ name: 'Other' }).issueClient();
  const other = stage.authority.issueClient({ subject: { CN: 'Another client' } });
  for (const [leaf, reason] of [
    [stranger, 'untrusted'],
    [other, 'match_mismatch'],
  ] as const) {
    await using client = await stage.connect({ leaf, localAddress: '127.0.0.5' });
    expect(statusOf(await client.exchange(signed()))).toBe(403);
    expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({ verdict: 'deny', reason });
  }
});

it('resumes a session without a certificate as one without a certificate', async () => {
  await using first = await uncertified('127.0.0.6');
  await first.exchange(signed());
  const session = await first.session();
  await using again = await stage.connect({ leaf: undefined, session, localAddress: '127.0.0.6' });
  expect(statusOf(await again.exchange(signed()))).toBe(200);
  expect(await handshakeFrom(stage.gateway, again.socket)).toMatchObject({ resumed: true, leaf: null });
});

it('counts the messages in flight of such clients by their address', async () => {
  const { options } = stage.host;
  const answer = options.answer;
  const release = Promise.withResolvers<void>();
  options.answer = (_, socket) => {
    void release.promise.then(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    return null;
  };
  const index = stage.host.requests.length;
  await using opened = new AsyncDisposableStack();
  const connect = async (address: string) => opened.use(await uncertified(address));
  const held = await Promise.all(Array.from({ length: inFlight }, () => connect('127.0.0.7')));
  for (const client of held) client.write(signed());
  await stage.host.request(index + inFlight - 1);
  const beyond = await (await connect('127.0.0.7')).exchange(signed());
  expect(await messageOf(stage.gateway, beyond)).toMatchObject({ status: 503, reason: 'client_in_flight' });
  const elsewhere = (await connect('127.0.0.8')).write(signed());
  await stage.host.request(index + inFlight);
  release.resolve();
  for (const client of [...held, elsewhere]) expect(statusOf(await client.response())).toBe(200);
  if (answer === undefined) delete options.answer;
  else options.answer = answer;
});

it('exports no expiry and no last handshake of a certificate that was not sent', async () => {
  for (let count = 0; count < 5; count += 1) {
    await using client = await uncertified('127.0.0.12');
    expect(statusOf(await client.exchange(signed()))).toBe(200);
  }
  const samples = await metricsWhen(
    stage.gateway,
    (all) => (all.get('ehi_handshakes_total{verdict="allow",reason="none"}') ?? 0) > 4,
  );
  const names = [...samples.keys()].filter((name) => /undefined|null/.test(name));
  expect(names).toEqual([]);
});

it('withdraws the permit of such a client once a certificate is required', async () => {
  await using client = await uncertified('127.0.0.9');
  await using certified = await stage.connect({ localAddress: '127.0.0.10' });
  expect(statusOf(await client.exchange(signed()))).toBe(200);
  const { conn_id } = await handshakeFrom(stage.gateway, client.socket);
  const withdrawn = stage.gateway.next(({ type, conn_id: id }) => type === 'verdict' && id === conn_id);
  await stage.reload({ ...clients('required'), ...withRoutes({ signature }), identity });
  expect(await withdrawn).toMatchObject({
    verdict: 'deny',
    reason: 'no_certificate',
    leaf: null,
    anchor: null,
  });
  await client.rest();
  expect(statusOf(await certified.exchange(signed()))).toBe(200);
  await using denied = await uncertified('127.0.0.11');
  expect(statusOf(await denied.exchange(signed()))).toBe(400);
  const withdrawals = 'ehi_permits_withdrawn_total{reason="no_certificate"}';
  await metricsWhen(stage.gateway, (all) => (all.get(withdrawals) ?? 0) > 0);
  expect(await stage.reload()).toMatchObject({ event: 'reloaded' });
});

it('is refused where a route does not demand a signature, and the running policy stays', async () => {
  for (const route of [{}, { signature: { ...signature, mode: 'shadow' } }]) {
    const record = await stage.reload({ ...clients('optional'), ...withRoutes(route), identity });
    expect(record).toMatchObject({ event: 'refused', problems: 1 });
  }
});
