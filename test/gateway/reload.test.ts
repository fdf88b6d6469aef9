/** Reloads: a change is applied completely or refused completely, and no connection is lost. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { type Authority, authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { openDirectory } from '../support/trust/directory.ts';

/** The server certificate on a new connection. */
async function serverCertificate(stage: Stage): Promise<string | undefined> {
  await using client = await stage.connect();
  return client.socket.getPeerX509Certificate()?.serialNumber;
}

/** Resolves once new connections get this certificate: relay threads apply a snapshot shortly after it is made. */
async function isShown(stage: Stage, { der }: { readonly der: Buffer }): Promise<void> {
  const { serialNumber } = parseCertificate(der).x509;
  while ((await serverCertificate(stage)) !== serialNumber);
}

describe('a new server certificate', () => {
  it('is used for new connections once both files are written, while open connections continue', async () => {
    await using stage = await openStage();
    await using open = await stage.connect();
    await open.exchange(post());
    const renewed = stage.authority.issueServer();
    const taken = stage.gateway.audit(({ type, event }) => type === 'config' && event === 'reloaded');
    // No signal is sent: the files are watched. Chain and key do not match until both are written.
    await stage.gateway.write('server.key', renewed.keyPem);
    await stage.gateway.write('server.pem', renewed.chainPem);
    expect(await taken).toMatchObject({ changed: ['listen.certificate'], fixed: [], problems: 0 });
    await isShown(stage, renewed);
    expect(statusOf(await open.exchange(post()))).toBe(200);
  });
});

describe('an invalid change', () => {
  const broken: Record<string, (stage: Stage) => Promise<void>> = {
    'the configuration’s text': ({ gateway }) => gateway.write('gateway.yaml', 'listen: ['),
    'a server certificate': ({ gateway }) => gateway.write('server.pem', 'nothing'),
    'a server key of another certificate': ({ gateway, authority: pki }) =>
      gateway.write('server.key', pki.issueServer().keyPem),
    'an anchor': ({ gateway }) => gateway.write('anchor.pem', '-----BEGIN CERTIFICATE-----\ncut'),
    'an anchor without its root': ({ gateway, authority: pki }) =>
      gateway.write('anchor.pem', pki.issuing.pem),
    'a candidate beside a changed anchor': async ({ gateway, configure }) => {
      await gateway.write('next.pem', authority({ name: 'Next' }).anchorPem);
      const files = ['next.pem'];
      const candidates = [{ name: 'next', files: ['server.key'] }];
      await configure({ trust: { anchors: [{ name: 'example', files }], candidates, cacheDir: 'trust' } });
    },
    'the secret of the tickets': ({ gateway }) => gateway.write('secret', 'too short'),
  };

  it.each(Object.keys(broken))('is refused with its position, and changes nothing: %s', async (name) => {
    await using stage = await openStage({
      files: { secret: 'x'.repeat(32) },
      config: { listen: { resumption: { secretFile: 'secret' } } },
    });
    await using open = await stage.connect({ maxVersion: 'TLSv1.2' });
    await open.exchange(post());
    const session = await open.session();
    const before = await serverCertificate(stage);

    const changes = () => stage.gateway.records().filter(({ type }) => type === 'trust').length;
    const changesBefore = changes();
    await broken[name]?.(stage);
    const record = await stage.gateway.reload();
    expect(changes()).toBe(changesBefore);
    expect(record).toMatchObject({
      event: 'refused',
      generation: null,
      changed: [],
      problems: expect.any(Number),
    });
    expect(record.problems).toBeGreaterThan(0);
    expect(stage.gateway.stderr).toMatch(/gateway\.yaml:\d+:\d+: .*found .*; allowed /);

    await metricsWhen(stage.gateway, (samples) => samples.get('ehi_config_last_reload_successful') === 0);
    expect(await serverCertificate(stage)).toBe(before);
    expect(statusOf(await open.exchange(post()))).toBe(200);
    await using resumed = await stage.connect({ maxVersion: 'TLSv1.2', session });
    expect(statusOf(await resumed.exchange(post()))).toBe(200);
    expect(resumed.socket.isSessionReused()).toBe(true);
    expect((await stage.gateway.admin('/readyz')).status).toBe(200);
  });

  it.each([
    ['new', undefined],
    ['changed', [{ name: 'next', files: ['next.pem'] }]],
  ])('fetches no candidate if the anchors beside it are refused: %s candidates', async (_, earlier) => {
    const [pki, next] = [authority(), authority({ name: 'Next' })];
    await using directory = await openDirectory({ '/own.pem': pki.anchorPem, '/next.pem': next.anchorPem });
    const anchorAt = (name: string, { root }: Authority) => ({
      name,
      urls: [`${directory.origin}/${name}.pem`],
      rootSha256: parseCertificate(root.der).sha256,
      tls: { ca: 'directory.pem' },
    });
    const trust = (candidates?: unknown) => ({
      ...{ anchors: [anchorAt('own', pki)], cacheDir: 'trust' },
      ...(candidates === undefined ? {} : { candidates }),
    });
    await using stage = await openStage({
      authority: pki,
      files: { 'next.pem': next.anchorPem, 'directory.pem': directory.pki.anchorPem },
      config: { trust: trust(earlier) },
    });
    const fetched = () => directory.requests.filter(({ path }) => path === '/next.pem');
    const planned = trust([anchorAt('next', next)]);
    // The pin is the key of the anchor's own CA, so the anchor in use is refused under these settings.
    const clients = { pins: [`sha256/${parseCertificate(pki.issuing.der).spkiPin}`] };
    expect(await stage.reload({ clients, trust: planned })).toMatchObject({ event: 'refused' });
    expect(stage.gateway.stderr).toMatch(/trust\.anchors\[0\].*names no caller/);
    expect(await stage.reload({ trust: trust(earlier) })).toMatchObject({ event: 'reloaded' });
    expect(fetched()).toEqual([]);
    expect(await stage.reload({ trust: planned })).toMatchObject({ event: 'reloaded' });
    expect(fetched()).toHaveLength(1);
  });

  it('is applied once it is corrected, and the metric shows it', async () => {
    await using stage = await openStage();
    await stage.gateway.write('anchor.pem', 'nothing');
    expect(await stage.gateway.reload()).toMatchObject({ event: 'refused' });
    const taken = stage.gateway.next(({ type, event }) => type === 'config' && event === 'reloaded');
    await stage.gateway.write('anchor.pem', stage.authority.anchorPem);
    expect(await taken).toMatchObject({ changed: [] });
    await metricsWhen(stage.gateway, (samples) => samples.get('ehi_config_last_reload_successful') === 1);
  });

  it('includes an anchor whose own key is pinned, when only pins name the client', async () => {
    await using stage = await openStage();
    const pins = [`sha256/${parseCertificate(stage.authority.issuing.der).spkiPin}`];
    expect(await stage.reload({ clients: { pins } })).toMatchObject({ event: 'refused' });
    expect(statusOf(await stage.send(post()))).toBe(200);
  });
});

it('reports fields that need a restart, and applies the rest', async () => {
  await using stage = await openStage();
  const { port } = stage.gateway;
  const record = await stage.reload({
    listen: { certificate: { chain: 'server.pem', key: 'server.key' }, port: port === 65_535 ? 1 : port + 1 },
    limits: { body: '2B' },
  });
  expect(record).toMatchObject({ event: 'reloaded', changed: ['limits.body'], fixed: ['listen.port'] });
  expect(stage.gateway.stderr).toContain('listen.port');
  expect(statusOf(await stage.send(post()))).toBe(413);
});

describe('after a reload', () => {
  it('still refuses TLS 1.1, renegotiation and SHA-1 signatures, and accepts an old ticket', async () => {
    await using stage = await openStage();
    const { gateway } = stage;
    const sessions = [];
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const only = { minVersion: version, maxVersion: version };
      await using client = await stage.connect(only);
      await client.exchange(post());
      sessions.push({ ...only, session: await client.session() });
    }
    const renewed = stage.authority.issueServer();
    await gateway.write('server.key', renewed.keyPem);
    await gateway.write('server.pem', renewed.chainPem);
    expect(await gateway.reload()).toMatchObject({ event: 'reloaded' });

    for (const options of sessions) {
      await using client = await stage.connect(options);
      expect(statusOf(await client.exchange(post()))).toBe(200);
      expect(client.socket.isSessionReused()).toBe(true);
    }
    expect((await sClient(gateway, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0')).stderr).toMatch(
      /alert protocol version/,
    );
    for (const [name, content] of [
      ['client.pem', stage.leaf.chainPem],
      ['client.key', stage.leaf.keyPem],
    ] as const)
      await gateway.write(name, content);
    const identity = [
      '-cert',
      join(gateway.folder, 'client.pem'),
      '-key',
      join(gateway.folder, 'client.key'),
    ];
    const again = await sClient({ port: gateway.port, input: 'R\n' }, '-tls1_2', ...identity);
    expect(again.stderr).toMatch(/RENEGOTIATING\n.*no renegotiation/);
    const { stdout } = await sClient(gateway, '-tls1_2', ...identity);
    const [asked = ''] = stdout.match(/^Requested Signature Algorithms: .*/m) ?? [];
    expect(asked).toContain('SHA256');
    expect(asked).not.toMatch(/SHA1|SHA224|DSA\b(?<!ECDSA)/);
  });
});

it('loses no message over twenty reloads, on open and new connections', async () => {
  await using stage = await openStage();
  const pki = stage.authority;
  const certificates = [pki.issueServer(), pki.issueServer()];
  let reloading = true;
  let messages = 0;
  const talk = async (fresh: boolean) => {
    while (reloading) {
      await using client = await stage.connect();
      do {
        expect(statusOf(await client.exchange(post()))).toBe(200);
        messages++;
      } while (reloading && !fresh);
    }
  };
  const talking = [talk(false), talk(false), talk(true)];
  for (let index = 0; index < 20; index++) {
    const { chainPem, keyPem } = certificates[index % 2] as (typeof certificates)[number];
    await stage.gateway.write('server.key', keyPem);
    await stage.gateway.write('server.pem', chainPem);
    const allowlist = index % 3 === 0 ? ['127.0.0.1'] : ['127.0.0.0/8'];
    const record = await stage.reload({ clients: { allowlist, anyCertificateOfAnchor: true } });
    expect(record.event).toBe('reloaded');
  }
  reloading = false;
  await Promise.all(talking);
  expect(messages).toBeGreaterThan(20);
  const bad = ({ type, status, verdict }: { type?: string; status?: number; verdict?: string }) =>
    (type === 'message' && status !== 200) || (type === 'handshake' && verdict !== 'allow');
  expect(stage.gateway.records().filter(bad)).toEqual([]);
});
