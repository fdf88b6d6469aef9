import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareConfigs } from '../../src/config/changes.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { authority } from '../support/pki/authority.ts';
import { createSite, minimal, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

async function load(changes: Record<string, unknown> = {}): Promise<LoadedConfig> {
  const { loaded, problems } = await site.examine(changes);
  if (loaded === null) throw new Error(JSON.stringify(problems));
  return loaded;
}

const endpoint = 'https://collector.example/v1/traces';

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

describe('reports the changed fields:', () => {
  it.each([
    ['nothing', {}, []],
    ['an allowlist', { clients: { ...minimal.clients, allowlist: ['192.0.2.0/24'] } }, ['clients.allowlist']],
    [
      'an added and a removed field',
      { clients: { anyCertificateOfAnchor: true, allowlist: ['203.0.113.7/32'] } },
      ['clients.anyCertificateOfAnchor', 'clients.match'],
    ],
    ['a whole list', { routes: [{ path: '/', upstream: 'http://127.0.0.1:8081' }] }, ['routes']],
    ['a deadline', { timeouts: { drain: '1s' } }, ['timeouts.drain']],
    ['audit.onFailure', { audit: { onFailure: 'refuse' } }, ['audit.onFailure']],
    ['tracing, switched on', { tracing: { endpoint } }, ['tracing']],
    ['resumption', { listen: { ...minimal.listen, resumption: 'off' } }, ['listen.resumption']],
  ])('%s', async (_, changes, changed) => {
    const change = compareConfigs(await load(), await load(changes));
    expect([...change.changed].sort()).toEqual(changed);
    expect(change.fixed).toEqual([]);
  });

  it('a certificate whose file has another content', async () => {
    const before = await load();
    const server = authority().issueServer();
    await site.write('server.pem', server.chainPem);
    await site.write('server.key', server.keyPem);
    expect(compareConfigs(before, await load()).changed).toEqual(['listen.certificate']);
  });
});

it('reports header fields and CA of the collector if the content of their files changed', async () => {
  await site.write('fields', 'authorization: one');
  await site.write('ca.pem', authority().root.pem);
  const tracing = { endpoint, headersFile: 'fields', tls: { ca: 'ca.pem' } };
  const before = await load({ tracing });
  expect(compareConfigs(before, await load({ tracing })).changed).toEqual([]);
  await site.write('fields', 'authorization: two');
  await site.write('ca.pem', authority().root.pem);
  const change = compareConfigs(before, await load({ tracing }));
  expect(change).toMatchObject({ changed: ['tracing.headersFile', 'tracing.tls'], fixed: [] });
  expect(compareConfigs(before, await load()).changed).toEqual(['tracing']);
});

describe('fields that need a restart', () => {
  it.each([
    ['listen.address', { listen: { ...minimal.listen, address: '127.0.0.1' } }],
    ['listen.port', { listen: { ...minimal.listen, port: 9443 } }],
    ['relays', { relays: 3 }],
    ['admin.port', { admin: { port: 9999 } }],
    ['audit.destination', { audit: { destination: 'stderr' } }],
    ['audit.format', { audit: { format: 'ecs' } }],
    ['audit.seal', { audit: { seal: {} } }],
    ['trust.cacheDir', { trust: { ...minimal.trust, cacheDir: 'elsewhere' } }],
  ])('%s keeps its value, and is reported', async (path, changes) => {
    const before = await load();
    const change = compareConfigs(before, await load(changes));
    expect(change.fixed).toEqual([path]);
    expect(change.changed).toEqual([]);
    expect(change.effective.config).toEqual(before.config);
  });
});

describe('the seals and the rotation of the audit', () => {
  const audit = { destination: 'audit.log', seal: { interval: '2s' }, rotate: { keep: 3 } };

  it('keep their values until a restart, also if they are removed', async () => {
    const before = await load({ audit });
    const change = compareConfigs(
      before,
      await load({ audit: { destination: 'audit.log', onFailure: 'refuse' } }),
    );
    expect(change).toMatchObject({ changed: ['audit.onFailure'], fixed: ['audit.seal', 'audit.rotate'] });
    expect(change.effective.config.audit).toEqual({ ...before.config.audit, onFailure: 'refuse' });
  });

  it('keep the key until a restart if its file has another one', async () => {
    const writeKey = () => site.write('audit.key', generateKeyPairSync('ed25519').privateKey.export(pkcs8));
    const seal = { key: 'audit.key' };
    await writeKey();
    const before = await load({ audit: { seal } });
    expect(compareConfigs(before, await load({ audit: { seal } })).fixed).toEqual([]);
    await writeKey();
    const change = compareConfigs(before, await load({ audit: { seal } }));
    expect(change).toMatchObject({ changed: [], fixed: ['audit.seal'] });
    expect(change.effective.auditKey).toBe(before.auditKey);
  });
});
