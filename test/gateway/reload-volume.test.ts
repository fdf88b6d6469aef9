/** Volumes that Kubernetes mounts: their files change behind a symbolic link, and nobody sends a signal. */
import { readFile, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { forget, project } from '../support/process/volume.ts';

const [first, second, third] = ['..2026_01', '..2026_02', '..2026_03'] as const;

/** What comes of the next change, asked for before it. */
function nextConfig({ gateway }: Stage) {
  return gateway.next(({ type }) => type === 'config');
}

/** The serial number of the certificate that a new connection is shown. */
async function shown(stage: Stage): Promise<string | undefined> {
  await using client = await stage.connect();
  return client.socket.getPeerX509Certificate()?.serialNumber;
}

async function isRefusedVisibly(stage: Stage, problem: RegExp): Promise<void> {
  expect(stage.gateway.stderr).toMatch(problem);
  await metricsWhen(stage.gateway, (samples) => samples.get('ehi_config_last_reload_successful') === 0);
  expect((await stage.gateway.admin('/readyz')).status).toBe(200);
}

it('takes a Secret’s new certificate, refuses a broken one, and takes the one that mends it', async () => {
  const pki = authority();
  const [old, renewed, mended] = [pki.issueServer(), pki.issueServer(), pki.issueServer()];
  await using stage = await openStage({ authority: pki });
  const volume = join(stage.gateway.folder, 'tls');
  const secret = (chain: typeof old, key = chain) => ({ 'tls.crt': chain.chainPem, 'tls.key': key.keyPem });
  const serial = ({ der }: typeof old) => parseCertificate(der).x509.serialNumber;
  await project(volume, first, secret(old));
  const certificate = { chain: 'tls/tls.crt', key: 'tls/tls.key' };
  expect(await stage.reload({ listen: { certificate } })).toMatchObject({ event: 'reloaded' });
  await using open = await stage.connect();

  let told = nextConfig(stage);
  await project(volume, second, secret(renewed));
  await forget(volume, first);
  expect(await told).toMatchObject({ event: 'reloaded', changed: ['listen.certificate'] });
  // Relay threads take a snapshot a moment after it is made.
  while ((await shown(stage)) !== serial(renewed));

  told = nextConfig(stage);
  await project(volume, third, secret(mended, old));
  await forget(volume, second);
  expect(await told).toMatchObject({ event: 'refused', problems: expect.any(Number) });
  await isRefusedVisibly(stage, /gateway\.yaml:\d+:\d+: listen\.certificate\.key: found .*; allowed /);
  expect(await shown(stage)).toBe(serial(renewed));

  told = nextConfig(stage);
  await project(volume, first, secret(mended));
  expect(await told).toMatchObject({ event: 'reloaded' });
  while ((await shown(stage)) !== serial(mended));
  expect(statusOf(await open.exchange(post()))).toBe(200);
});

it('takes a ConfigMap’s new configuration, refuses a broken one, and takes the one that mends it', async () => {
  await using stage = await openStage();
  const { folder } = stage.gateway;
  const configuration = parse(await readFile(join(folder, 'gateway.yaml'), 'utf8'));
  const map = (limits: object) => ({ 'gateway.yaml': stringify({ ...configuration, limits }) });
  await using open = await stage.connect();
  let told = nextConfig(stage);
  await symlink(join('..data', 'gateway.yaml'), join(folder, 'link'));
  await project(folder, first, map({}));
  await rename(join(folder, 'link'), join(folder, 'gateway.yaml'));
  expect(await told).toMatchObject({ event: 'reloaded', changed: [] });

  told = nextConfig(stage);
  await project(folder, second, map({ body: '2B' }));
  await forget(folder, first);
  expect(await told).toMatchObject({ event: 'reloaded', changed: ['limits.body'] });
  while (statusOf(await stage.send(post())) !== 413);

  told = nextConfig(stage);
  await project(folder, third, map({ body: 'much' }));
  await forget(folder, second);
  expect(await told).toMatchObject({ event: 'refused', problems: 1 });
  await isRefusedVisibly(stage, /gateway\.yaml:\d+:\d+: limits\.body: found .*; allowed /);
  expect(statusOf(await stage.send(post()))).toBe(413);

  told = nextConfig(stage);
  await project(folder, first, map({}));
  expect(await told).toMatchObject({ event: 'reloaded', changed: ['limits.body'] });
  while (statusOf(await stage.send(post())) !== 200);
  expect(statusOf(await open.exchange(post()))).toBe(200);
});
