/** TLS to the host: the certificates that the gateway accepts and presents, and that nothing is sent after a failure. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Message, statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { sServer } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { type Host, openHost } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority({ name: 'Host' });
const stranger = authority({ name: 'Stranger' });
const pinOf = ({ der }: { der: Buffer }) => `sha256/${parseCertificate(der).spkiPin}`;

const server = pki.issueServer();
const own = { cert: server.chainPem, key: server.keyPem };
const client = pki.issueClient();
const files = {
  'host-ca.pem': pki.root.pem,
  'host-cas.pem': pki.anchorPem,
  'stranger-ca.pem': stranger.root.pem,
  'client.pem': client.chainPem,
  'client.key': client.keyPem,
};

/** One gateway for all tests; each has its own route. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ files });
});
afterAll(() => stage[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly host: Host;
  /** Sessions that the host resumed, in the order of its connections. */
  readonly resumed: boolean[];
  readonly names: (string | false | null)[];
}

async function openScene(
  options: { tls?: object; host?: TlsOptions; behind?: string; name?: string } = {},
): Promise<Scene> {
  const resumed: boolean[] = [];
  const names: Scene['names'] = [];
  const note = (socket: TLSSocket) => {
    resumed.push(socket.isSessionReused());
    names.push(socket.servername);
  };
  await using opened = new AsyncDisposableStack();
  const host = opened.use(
    await openHost(
      { onConnection: (socket) => note(socket as TLSSocket) },
      { tls: { ...own, ...options.host } },
    ),
  );
  const { tls = { ca: 'host-ca.pem' }, name = '127.0.0.1' } = options;
  const url = `https://${name}:${host.port}`;
  await stage.leadTo([{ url, tls }, ...(options.behind ? [options.behind] : [])]);
  const stack = opened.move();
  return { host, resumed, names, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** One message, which the host gets nothing of, and the cause in the log. */
async function refusalBy({ host }: Scene): Promise<{ cause: string; answer: Message }> {
  const answer = await stage.send(post());
  expect(await messageOf(stage.gateway, answer)).toMatchObject({
    outcome: 'failed',
    status: 502,
    reason: 'upstream_tls',
  });
  const endpoint = `https://127.0.0.1:${host.port}`;
  const { cause } = await stage.gateway.logged(
    (each) => each.reason === 'upstream_tls' && each.endpoint === endpoint,
  );
  return { cause, answer };
}

async function expectRefused(scene: Scene, cause: string): Promise<void> {
  const refusal = await refusalBy(scene);
  expect(statusOf(refusal.answer)).toBe(502);
  expect(scene.host.requests).toEqual([]);
  expect(refusal.cause).toBe(cause);
}

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'sends many messages over one %s connection to a host with a trusted certificate',
  async (version) => {
    await using scene = await openScene({ host: { minVersion: version, maxVersion: version } });
    const { host } = scene;
    await using caller = await stage.connect();
    const body = Buffer.alloc(100_000, 'x');
    for (let index = 0; index < 3; index++) {
      expect(statusOf(await caller.exchange(post({ body })))).toBe(200);
      const request = await host.request(index);
      expect(request.body.equals(body)).toBe(true);
      expect(await messageOf(stage.gateway, request)).toMatchObject({
        outcome: 'answered',
        endpoint: `https://127.0.0.1:${host.port}`,
      });
    }
    expect(host.connectionCount).toBe(1);
  },
);

it.each([
  ['comes from another CA', { tls: { ca: 'stranger-ca.pem' } }, 'SELF_SIGNED_CERT_IN_CHAIN'],
  ['comes from no CA of the system', { tls: {} }, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [
    'names another address',
    { host: keyed(pki.issueServer({ sans: ['IP:127.0.0.2', 'DNS:localhost'] })) },
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [
    'names another host than serverName',
    { tls: { ca: 'host-ca.pem', serverName: 'ehi.internal' } },
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [
    'has expired',
    { host: keyed(pki.issueServer({ notAfter: Date.now() - 60_000, notBefore: Date.now() - 3_600_000 })) },
    'CERT_HAS_EXPIRED',
  ],
  ['has no pinned key', { tls: { ca: 'host-ca.pem', pins: [pinOf(stranger.root)] } }, 'PIN_MISMATCH'],
] as const)('sends nothing to a host whose certificate %s', async (_what, options, cause) => {
  const chain = { cert: `${server.chainPem}${pki.root.pem}`, key: server.keyPem };
  const host = 'host' in options ? options.host : chain;
  await using scene = await openScene({ ...options, host });
  await expectRefused(scene, cause);
});

function keyed({ chainPem, keyPem }: { chainPem: string; keyPem: string }): TlsOptions {
  return { cert: chainPem, key: keyPem };
}

it('sends nothing to a host that speaks TLS 1.1 at most, or no TLS at all', async () => {
  await using old = await openScene({
    host: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
  });
  const answer = await stage.send(post());
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ reason: 'upstream_tls', status: 502 });
  expect(old.host.requests).toEqual([]);

  await using plain = await openHost();
  const timeouts = { connectFirst: '100ms', connect: '1s' };
  await stage.leadTo(
    { url: `https://127.0.0.1:${plain.port}`, tls: { ca: 'host-ca.pem' } },
    { config: { timeouts } },
  );
  // The host reads the ClientHello as an endless request: the handshake times out.
  const refused = await stage.send(post());
  expect(await messageOf(stage.gateway, refused)).toMatchObject({ outcome: 'failed', endpoint: null });
  expect(plain.requests).toEqual([]);
});

it.each([
  ['the leaf', [pinOf(server)]],
  ['the issuing CA', [pinOf(stranger.root), pinOf(pki.issuing)]],
  ['the root, which the host does not send', [pinOf(pki.root)]],
])('accepts a host with the pinned key of %s', async (_what, pins) => {
  await using _scene = await openScene({ tls: { ca: 'host-ca.pem', pins } });
  expect(statusOf(await stage.send(post()))).toBe(200);
});

it('does not accept a pinned key in a certificate that only has the name of the issuer', async () => {
  // Any owner of a leaf of the same CA can send it: the pinned key is public. Version 1 has no key identifier.
  const forged = issueCertificate({
    subject: pki.issuing.subject,
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 60_000,
    version: 1,
  });
  const host = { cert: server.pem + forged.pem, key: server.keyPem };
  const tls = { ca: 'host-cas.pem' };
  await using scene = await openScene({ host, tls: { ...tls, pins: [pinOf(forged)] } });
  await expectRefused(scene, 'PIN_MISMATCH');
  await using _unpinned = await openScene({ host, tls });
  expect(statusOf(await stage.send(post()))).toBe(200);
});

it('sends the host name of the url or serverName as SNI and verifies it, and sends no address', async () => {
  await using byUrl = await openScene({ name: 'localhost' });
  expect(statusOf(await stage.send(post()))).toBe(200);
  await using byAddress = await openScene();
  expect(statusOf(await stage.send(post()))).toBe(200);
  await using byServerName = await openScene({
    tls: { ca: 'host-ca.pem', serverName: 'ehi.internal' },
    host: keyed(pki.issueServer({ sans: ['DNS:ehi.internal'] })),
  });
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect([byUrl.names[0], byAddress.names[0], byServerName.names[0]]).toEqual([
    'localhost',
    false,
    'ehi.internal',
  ]);
});

const demanding = { requestCert: true, rejectUnauthorized: true, ca: [pki.root.pem, pki.issuing.pem] };
const certificate = { chain: 'client.pem', key: 'client.key' };

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'presents its certificate to a host that requests one over %s',
  async (version) => {
    const subjects: unknown[] = [];
    await using scene = await openScene({
      tls: { ca: 'host-ca.pem', certificate },
      host: { ...demanding, minVersion: version, maxVersion: version },
    });
    scene.host.options.onHead = (_head, socket) => {
      subjects.push((socket as TLSSocket).getPeerCertificate().subject.CN);
    };
    expect(statusOf(await stage.send(post()))).toBe(200);
    expect(subjects).toEqual(['Host client']);
  },
);

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'answers 502 when a host requires a certificate over %s and none is configured',
  async (version) => {
    await using scene = await openScene({ host: { ...demanding, minVersion: version, maxVersion: version } });
    const { cause, answer } = await refusalBy(scene);
    expect(statusOf(answer)).toBe(502);
    expect(scene.host.requests).toEqual([]);
    expect(cause).toMatch(
      /ERR_SSL_(TLSV13_ALERT_CERTIFICATE_REQUIRED|SSL\/TLS_ALERT_HANDSHAKE_FAILURE|SSLV3_ALERT_HANDSHAKE_FAILURE)/,
    );
  },
);

it('uses the second endpoint when the certificate of the first is not accepted', async () => {
  await using second = await openHost();
  await using scene = await openScene({ tls: { ca: 'stranger-ca.pem' }, behind: second.url });
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(await messageOf(stage.gateway, await second.request(0))).toMatchObject({
    outcome: 'answered',
    endpoint: second.url,
  });
  expect(scene.host.requests).toEqual([]);
});

it('skips a host that refuses it after the handshake for lack of a certificate, until the host accepts it', async () => {
  const tls = { ...own, ...demanding, minVersion: 'TLSv1.3' } as const;
  await using second = await openHost();
  const refusing = await openHost({}, { tls });
  const { url } = refusing;
  const primary = { url, tls: { ca: 'host-ca.pem' } };
  await stage.leadTo([primary, second.url]);
  const statuses: number[] = [];
  for (let index = 0; index < 6; index++) statuses.push(statusOf(await stage.send(post())));
  expect(statuses).toEqual([502, 502, 502, 200, 200, 200]);
  expect([refusing.requests.length, second.requests.length]).toEqual([0, 3]);
  // The next attempt is refused like the messages before.
  const up = `ehi_upstream_up{endpoint="${url}"}`;
  const refusals = `ehi_upstream_connects_total{endpoint="${url}",result="upstream_tls"}`;
  const samples = await metricsWhen(stage.gateway, (found) => (found.get(refusals) ?? 0) > 3);
  expect(samples.get(up)).toBe(0);
  expect(samples.get(`ehi_upstream_ejections_total{endpoint="${url}"}`)).toBe(1);

  await refusing[Symbol.asyncDispose]();
  await using accepting = await openHost({}, { at: refusing.port, tls: { ...tls, requestCert: false } });
  await metricsWhen(stage.gateway, (found) => found.get(up) === 1);
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect([accepting.requests.length, second.requests.length]).toEqual([1, 3]);
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes its session with the host over %s', async (version) => {
  await using scene = await openScene({ host: { minVersion: version, maxVersion: version } });
  scene.host.options.answer = () => 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
  for (let index = 0; index < 4; index++) expect(statusOf(await stage.send(post()))).toBe(200);
  expect(scene.resumed).toEqual([false, true, true, true]);
});

it.each([
  ['presents a wrong certificate', own, 'stranger-ca.pem'],
  ['requires a client certificate', { ...own, ...demanding, minVersion: 'TLSv1.3' } as const, 'host-ca.pem'],
])('with a TLS health check skips a host that %s', async (_what, tls, ca) => {
  await using second = await openHost();
  await using host = await openHost({}, { tls });
  const endpoint = `https://127.0.0.1:${host.port}`;
  const health = { kind: 'tls', interval: '100ms', timeout: '5s' };
  await stage.leadTo([{ url: endpoint, tls: { ca }, health }, second.url]);
  await metricsWhen(stage.gateway, (found) => found.get(`ehi_upstream_up{endpoint="${endpoint}"}`) === 0);
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(second.requests).toHaveLength(1);
  expect(host.requests).toEqual([]);
});

it('passes the health check of a TLS 1.3 host without tickets, although the wait for a refusal exceeds the check timeout', async () => {
  await using folder = await temporaryFolder();
  const [chain, key] = [join(folder.path, 'chain.pem'), join(folder.path, 'key.pem')];
  await Promise.all([writeFile(chain, own.cert), writeFile(key, own.key)]);
  await using host = await sServer({ chain, key }, '-tls1_3', '-num_tickets', '0');
  await using second = await openHost();
  const url = `https://127.0.0.1:${host.port}`;
  const health = { kind: 'tls', interval: '100ms', timeout: '25ms' };
  await stage.leadTo([{ url, tls: { ca: 'host-ca.pem' }, health }, second.url]);
  const passed = `ehi_upstream_checks_total{endpoint="${url}",result="passed"}`;
  await metricsWhen(stage.gateway, (found) => (found.get(passed) ?? 0) > 0);
});

it('reports errors in the files of an endpoint', async () => {
  const missing = openStage({
    files,
    routes: [
      {
        path: '/',
        upstream: {
          url: 'https://host',
          tls: { ca: 'none.pem', certificate: { chain: 'client.pem', key: 'host-ca.pem' } },
        },
      },
    ],
  });
  await expect(missing).rejects.toThrow(
    new RegExp(
      `routes\\[0\\]\\.upstream\\.tls\\.ca: found \\S*none.pem that cannot be read \\(ENOENT\\)[^]*` +
        `routes\\[0\\]\\.upstream\\.tls\\.certificate\\.key: found no private key in PEM`,
    ),
  );
});
