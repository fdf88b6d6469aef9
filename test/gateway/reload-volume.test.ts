/** Kubernetes volumes: their files change behind a symbolic link, and no signal is sent. */
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

/** Resolves with the record of the next reload; call it before the change. */
function nextConfig({ gateway }: Stage) {
  return gateway.next(({ type }) => type === 'config');
}

/** The serial number of the server certificate on a new connection. */
async function shown(stage: Stage): Promise<string | undefined> {
  await using client = await stage.connect();
  return client.socket.getPeerX509Certificate()?.serialNumber;
}

async function isRefusedVisibly(stage: Stage, problem: RegExp): Promise<void> {
  expect(stage.gateway.stderr).toMatch(problem);
  await metricsWhen(stage.gateway, (samples) => samples.get('ehi_config_last_reload_successful') === 0);
  expect((await stage.gateway.admin('/readyz')).status).toBe(200);
}

it('loads the new certificate of a Secret, refuses a broken one, and loads the next valid one', async () => {
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

  let outcome = nextConfig(stage);
  await project(volume, second, secret(renewed));
  await forget(volume, first);
  expect(await outcome).toMatchObject({ event: 'reloaded', changed: ['listen.certificate'] });
  // Relay threads apply a snapshot shortly after it is made.
  while ((await shown(stage)) !== serial(renewed));

  outcome = nextConfig(stage);
  await project(volume, third, secret(mended, old));
  await forget(volume, second);
  expect(await outcome).toMatchObject({ event: 'refused', problems: expect.any(Number) });
  await isRefusedVisibly(stage, /gateway\.yaml:\d+:\d+: listen\.certificate\.key: found .*; allowed /);
  expect(await shown(stage)).toBe(serial(renewed));

  outcome = nextConfig(stage);
  await project(volume, first, secret(mended));
  expect(await outcome).toMatchObject({ event: 'reloaded' });
  while ((await shown(stage)) !== serial(mended));
  expect(statusOf(await open.exchange(post()))).toBe(200);
});

it('loads the new configuration of a ConfigMap, refuses a broken one, and loads the next valid one', async () => {
  await using stage = await openStage();
  const { folder } = stage.gateway;
  const configuration = parse(await readFile(join(folder, 'gateway.yaml'), 'utf8'));
  const map = (limits: object) => ({
    'gateway.yaml': stringify({ ...configuration, limits: { ...configuration.limits, ...limits } }),
  });
  await using open = await stage.connect();
  let outcome = nextConfig(stage);
  await symlink(join('..data', 'gateway.yaml'), join(folder, 'link'));
  await project(folder, first, map({}));
  await rename(join(folder, 'link'), join(folder, 'gateway.yaml'));
  expect(await outcome).toMatchObject({ event: 'reloaded', changed: [] });

  outcome = nextConfig(stage);
  await project(folder, second, map({ body: '2B' }));
  await forget(folder, first);
  expect(await outcome).toMatchObject({ event: 'reloaded', changed: ['limits.body'] });
  while (statusOf(await stage.send(post())) !== 413);

  outcome = nextConfig(stage);
  await project(folder, third, map({ body: 'much' }));
  await forget(folder, second);
  expect(await outcome).toMatchObject({ event: 'refused', problems: 1 });
  await isRefusedVisibly(stage, /gateway\.yaml:\d+:\d+: limits\.body: found .*; allowed /);
  expect(statusOf(await stage.send(post()))).toBe(413);

  outcome = nextConfig(stage);
  await project(folder, first, map({}));
  expect(await outcome).toMatchObject({ event: 'reloaded', changed: ['limits.body'] });
  while (statusOf(await stage.send(post())) !== 200);
  expect(statusOf(await open.exchange(post()))).toBe(200);
});
