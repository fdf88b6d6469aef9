/** Anchors from a URL: first use, the cache, a start without either, and the changes that a refresh accepts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { type Authority, authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { connect, post, send } from '../support/process/client.ts';
import { type Gateway, spawnGateway } from '../support/process/gateway.ts';
import { openHost } from '../support/process/host.ts';
import { deadPort } from '../support/process/listening.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { program } from '../support/process/program.ts';
import { handshakeOf } from '../support/process/records.ts';
import { type Directory, misbehaviours, openDirectory } from '../support/trust/directory.ts';

const pki = authority();
const stranger = authority();
const sha256 = ({ root }: Authority) => parseCertificate(root.der).sha256;

function serve({ files }: Directory, { root, issuing }: Authority, further = ''): void {
  files.set('/root.pem', root.pem).set('/issuing.pem', issuing.pem + further);
}

/** A directory, a host and a cache, used by several gateways one after another. */
async function openScene() {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory());
  serve(directory, pki);
  const host = opened.use(await openHost());
  const cache = opened.use(await temporaryFolder());
  const ports = { listen: await deadPort(), admin: await deadPort() };
  const server = pki.issueServer();
  const start = (options: { anchor?: object; trust?: object; clients?: object } = {}): Promise<Gateway> =>
    spawnGateway({
      files: {
        'server.pem': server.chainPem,
        'server.key': server.keyPem,
        'directory.pem': directory.pki.root.pem,
      },
      config: {
        listen: { certificate: { chain: 'server.pem', key: 'server.key' }, port: ports.listen },
        admin: { port: ports.admin },
        trust: {
          anchors: [
            {
              name: 'directory',
              urls: [`${directory.origin}/root.pem`, `${directory.origin}/issuing.pem`],
              tls: { ca: 'directory.pem' },
              ...options.anchor,
            },
          ],
          cacheDir: join(cache.path, 'trust'),
          ...options.trust,
        },
        clients: options.clients ?? { match: { organizationalUnit: 'Example organisation' } },
        routes: [{ path: '/', upstream: host.url, deadline: '30s' }],
      },
    });
  const client = { port: ports.listen, ca: pki.root.pem };
  const stack = opened.move();
  return {
    directory,
    cache: join(cache.path, 'trust'),
    ports,
    start,
    client,
    /** Status of one message. */
    visit: async (leaf = pki.issueClient()) => statusOf(await send({ ...client, leaf }, post())),
    /** The admin port, also of a gateway that is not ready. */
    ask: async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${ports.admin}${path}`);
      return { status: answer.status, body: await answer.text() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const event = (name: string) => (record: { type?: string; event?: string }) =>
  record.type === 'trust' && record.event === name;

/** `ehi-gateway trust`, with the configuration of a running gateway. */
function trustCommand({ folder }: Gateway, command: string, ...options: string[]) {
  const argv = [program, 'trust', command, '--config', join(folder, 'gateway.yaml'), ...options];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  return { stdout: text(child.stdout), code: once(child, 'exit').then(([code]) => code as number) };
}

it('trusts the first root that a URL serves, reports its SHA-256, and caches it', async () => {
  await using scene = await openScene();
  await using gateway = await scene.start();
  expect(await gateway.audit(event('trust_on_first_use'))).toMatchObject({
    anchor: 'directory',
    root_sha256: sha256(pki),
  });
  await gateway.whenReady();
  expect(await scene.visit()).toBe(200);
  expect(await scene.visit(stranger.issueClient())).toBe(403);
  const samples = await readMetrics(gateway);
  expect(samples.get('ehi_trust_root_pinned{anchor="directory"}')).toBe(0);
  expect(samples.get('ehi_trust_age_seconds{anchor="directory"}')).toBeGreaterThanOrEqual(0);

  const [file] = await readdir(scene.cache);
  expect((await stat(join(scene.cache, file as string))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(scene.cache, file as string), 'utf8')).not.toContain('PRIVATE KEY');
});

it('starts from the cache while the URL is down', async () => {
  await using scene = await openScene();
  {
    await using first = await scene.start();
    await first.whenReady();
    expect(await first.stop()).toEqual({ code: 0 });
  }
  await scene.directory.close();
  await using second = await scene.start();
  await second.whenReady();
  expect(await second.audit(event('from_cache'))).toMatchObject({
    anchor: 'directory',
    root_sha256: sha256(pki),
  });
  expect(await scene.visit()).toBe(200);
  expect(await scene.visit(stranger.issueClient())).toBe(403);
});

it('does not listen without an anchor or a cache, and listens once the URL answers', async () => {
  await using scene = await openScene();
  scene.directory.misbehaviour = misbehaviours.fail;
  await using gateway = await scene.start();
  expect(await gateway.audit(event('fetch_failed'))).toMatchObject({
    anchor: 'directory',
    root_sha256: null,
  });
  expect(await scene.ask('/healthz')).toMatchObject({ status: 200 });
  expect(await scene.ask('/readyz')).toEqual({
    status: 503,
    body: '{"ready":false,"reasons":["starting","no usable trust anchor"]}\n',
  });
  expect((await scene.ask('/metrics')).body).toContain('ehi_build_info{');
  await expect(scene.visit()).rejects.toThrow(/ECONNREFUSED/);
  expect(gateway.stdout).not.toContain('"type":"ready"');

  scene.directory.misbehaviour = null;
  await gateway.whenReady();
  expect(await scene.ask('/readyz')).toMatchObject({ status: 200 });
  expect(await scene.visit()).toBe(200);
});

it('exits with 0 on a signal while it waits for an anchor', async () => {
  await using scene = await openScene();
  scene.directory.misbehaviour = misbehaviours.fail;
  await using gateway = await scene.start();
  await gateway.audit(event('fetch_failed'));
  expect(await gateway.stop()).toEqual({ code: 0 });
});

it.each([
  ['whose server the given CA did not sign', { tls: { ca: 'server.pem' } }],
  ['that do not serve the pinned root', { rootSha256: sha256(stranger) }],
])('uses no anchor from URLs %s', async (_what, anchor) => {
  await using scene = await openScene();
  await using gateway = await scene.start({ anchor });
  const record = await gateway.audit(({ type }) => type === 'trust');
  expect(['fetch_failed', 'refused', 'root_changed_refused']).toContain(record.event);
  expect(await scene.ask('/readyz')).toMatchObject({ status: 503 });
});

it('trusts the pinned root without a first-use record, and shows that it is pinned', async () => {
  await using scene = await openScene();
  await using gateway = await scene.start({
    anchor: { rootSha256: sha256(pki).replaceAll(/..(?=.)/g, '$&:') },
  });
  await gateway.whenReady();
  expect(gateway.records().filter(event('trust_on_first_use'))).toEqual([]);
  const samples = await readMetrics(gateway);
  expect(samples.get('ehi_trust_root_pinned{anchor="directory"}')).toBe(1);
});

it('refuses a fetched anchor whose issuing CA has the pinned key, since that pin identifies no client', async () => {
  await using scene = await openScene();
  const pins = [`sha256/${parseCertificate(pki.issuing.der).spkiPin}`];
  await using gateway = await scene.start({ clients: { pins } });
  const { detail } = await gateway.audit(event('refused'));
  expect(detail).toMatch(/CN=Example Issuing CA.* names no caller/);
  expect(await scene.ask('/readyz')).toMatchObject({ status: 503 });
  await expect(scene.visit()).rejects.toThrow(/ECONNREFUSED/);
});

it('does not trust a changed root without approval', async () => {
  await using scene = await openScene();
  await using gateway = await scene.start({ trust: { refresh: '50ms' } });
  await gateway.whenReady();
  serve(scene.directory, stranger);
  expect(await gateway.audit(event('root_changed_refused'))).toMatchObject({ root_sha256: sha256(stranger) });
  expect(await scene.visit()).toBe(200);
  expect(await scene.visit(stranger.issueClient())).toBe(403);
  expect(await scene.ask('/readyz')).toMatchObject({ status: 200 });
});

it('trusts another root once the operator approves it while the gateway runs, and reports the change', async () => {
  await using scene = await openScene();
  await using gateway = await scene.start();
  await gateway.whenReady();
  expect(await gateway.audit(event('changed'))).toMatchObject({
    anchor: 'directory',
    detail: 'at the start',
    added: [
      { anchor: 'directory', sha256: sha256(pki), source: `${scene.directory.origin}/root.pem` },
      { source: `${scene.directory.origin}/issuing.pem` },
    ],
    removed: [],
  });
  await gateway.stop();

  serve(scene.directory, stranger);
  await using second = await scene.start();
  const refused = await second.audit(event('root_changed_refused'));
  expect(refused).toMatchObject({ root_sha256: sha256(stranger), url: `${scene.directory.origin}/root.pem` });
  await second.whenReady();
  expect(await scene.visit()).toBe(200);
  const approve = (root: Authority) =>
    trustCommand(second, 'approve', '--anchor', 'directory', '--sha256', sha256(root));
  const { pending } = JSON.parse(await trustCommand(second, 'diff', '--json').stdout);
  expect(pending).toMatchObject([{ anchor: 'directory', root_sha256: sha256(stranger) }]);
  expect(await approve(pki).code).toBe(64);
  expect(await approve(stranger).code).toBe(0);
  expect(await second.audit(event('approved'))).toMatchObject({ root_sha256: sha256(stranger) });
  expect(
    await second.audit((record) => event('changed')(record) && record.detail === 'by approval'),
  ).toMatchObject({
    added: [{ sha256: sha256(stranger) }, {}],
    removed: [{ sha256: sha256(pki) }, {}],
  });
  while ((await scene.visit(stranger.issueClient())) !== 200);
  expect(await scene.visit()).toBe(403);
  expect(await trustCommand(second, 'list').stdout).toMatch(/^directory {2}approved {2}fetched /);
});

it('trusts a further issuing CA under the same root, and still applies every rule to old tickets', async () => {
  await using scene = await openScene();
  await using gateway = await scene.start({ trust: { refresh: '50ms' } });
  await gateway.whenReady();
  const further = issueCertificate({
    subject: { CN: 'Further Issuing CA' },
    issuer: pki.root,
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 3_600_000,
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign'],
  });
  const leaf = pki.issueClient({ issuer: further });
  const renewed = { ...leaf, chainPem: leaf.pem + further.pem };
  expect(await scene.visit(renewed)).toBe(403);
  await using before = await connect({ ...scene.client, leaf: pki.issueClient() });
  await before.exchange(post());
  const session = await before.session();

  serve(scene.directory, pki, further.pem);
  await gateway.audit(event('fetched'));
  await metricsWhen(gateway, (samples) =>
    [...samples.keys()].some((name) => name.includes('Further Issuing CA')),
  );
  // The relay threads apply it shortly after.
  while ((await scene.visit(renewed)) !== 200) expect(gateway.records().length).toBeLessThan(10_000);
  expect(await scene.visit()).toBe(200);

  await using again = await connect({ ...scene.client, leaf: pki.issueClient(), session });
  expect(again.socket.isSessionReused()).toBe(false);
  const { stderr } = await sClient({ port: gateway.port, input: 'R\n' }, '-tls1_2');
  expect(stderr).toMatch(/RENEGOTIATING\n.*no renegotiation/);
  const answer = await send({ ...scene.client, leaf: stranger.issueClient() }, post());
  expect(await handshakeOf(gateway, answer)).toMatchObject({ verdict: 'deny', reason: 'untrusted' });
});
