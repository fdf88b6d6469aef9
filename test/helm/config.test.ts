import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { chart, command, configOf, podOf, render, valueSets } from './support/chart.ts';
import { layFiles } from './support/mounts.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ehi-chart-'));
afterAll(() => rmSync(folder, { recursive: true }));

function check(objects: ReturnType<typeof render>, name: string) {
  // A server has at most one certificate of each key type.
  const config = layFiles(objects, join(folder, name), ['P-256', 'rsa-2048']);
  return command(process.execPath, [main, 'check', '--elsewhere', '--config', config]);
}

describe('the configuration that the chart renders', () => {
  it.each(valueSets)('passes ehi-gateway check with the values %s', (set) => {
    const { status, stderr } = check(render(set), set);
    expect(stderr.split('\n').filter((line) => line !== '' && !line.endsWith('(warning)'))).toEqual([]);
    expect(status).toBe(0);
  });

  it('can be refused by ehi-gateway check', () => {
    const routes = [{ path: '/', upstream: 'http://host', deadline: '1s', idle: '2s' }];
    const { status, stderr } = check(render('default', { config: { routes } }), 'refused');
    expect(stderr).toContain('routes[0].idle');
    expect(status).toBe(78);
  });

  it('has everything of values.config, and the fields that the chart sets', () => {
    expect(configOf(render('default'))).toEqual({
      listen: {
        address: '::',
        port: 8443,
        certificate: [{ chain: '/etc/ehi-gateway/tls/0/tls.crt', key: '/etc/ehi-gateway/tls/0/tls.key' }],
        resumption: { secretFile: '/etc/ehi-gateway/resumption/secret' },
      },
      trust: {
        anchors: [{ name: 'thredd-sandbox', preset: 'sandbox', rootSha256: '0'.repeat(64) }],
        cacheDir: '/var/lib/ehi-gateway/trust',
      },
      clients: {
        allowlist: ['203.0.113.7', '2001:db8::/48'],
        match: { organizationalUnit: '00000000-0000-0000-0000-000000000000' },
      },
      routes: [{ path: '/', upstream: 'http://host.cards.svc:8080' }],
      timeouts: { drainDelay: '10s' },
      limits: { connections: 4000 },
      admin: { address: '::', port: 9090 },
    });
  });

  it('has the names of the admin page, if there are any', () => {
    const objects = render('default', { adminHosts: ['gateway-admin.example.com'] });
    expect(configOf(objects).admin).toEqual({
      address: '::',
      port: 9090,
      hosts: ['gateway-admin.example.com'],
    });
    expect(check(objects, 'admin-hosts').status).toBe(0);
  });

  it('signs the seals of the audit with the key of a Secret, beside other fields of the audit', () => {
    const key = '/etc/ehi-gateway/audit-key/audit.key';
    const audit = { onFailure: 'refuse', seal: { interval: '5s' } };
    expect(configOf(render('existing-objects')).audit).toEqual({ seal: { key } });
    expect(configOf(render('existing-objects', { config: { audit } })).audit).toEqual({
      onFailure: 'refuse',
      seal: { interval: '5s', key },
    });
  });

  it('has the words off and on where Helm reads booleans', () => {
    const { listen, trust, routes, tracing } = configOf(render('words'));
    expect(tracing).toBe('off');
    expect(listen).toMatchObject({ resumption: 'off', advertiseCaNames: false });
    expect(trust.anchors[0].revocation).toEqual({ crl: 'auto', ocsp: 'off' });
    expect(routes[0].upstream.pool).toEqual({ reuse: 'off' });
    expect(routes[1].upstream[0].pool).toEqual({ reuse: 'on' });
  });

  it('converts every field that may be off or on', () => {
    const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, 'utf8'));
    const template = readFileSync(`${chart}templates/_config.tpl`, 'utf8');
    const [, known = ''] = /\(\?:([a-z|]+)\)\): false\$/.exec(template) ?? [];
    expect(known.split('|').sort()).toEqual([...new Set(worded(schema))].sort());
  });

  it('trusts the load balancer if the Service enables PROXY protocol', () => {
    const objects = render('proxy-protocol');
    expect(configOf(objects).listen.proxyProtocol).toEqual({ trusted: ['10.0.0.0/16'] });
    const service = objects.find(
      ({ kind, metadata }) => kind === 'Service' && !/-admin$/.test(metadata.name),
    );
    expect(service?.metadata.annotations).toEqual({
      'service.beta.kubernetes.io/aws-load-balancer-proxy-protocol': '*',
      'service.beta.kubernetes.io/aws-load-balancer-nlb-target-type': 'ip',
    });
  });
});

describe('a pod is replaced', () => {
  const checksum = (values: object) =>
    podOf(render('default', values)).metadata.annotations['checksum/fixed'];

  it('for values that the gateway reads only at its start', () => {
    const before = checksum({});
    expect(checksum({ config: { relays: 2 } })).not.toBe(before);
    expect(checksum({ address: '0.0.0.0' })).not.toBe(before);
    expect(checksum({ config: { audit: { destination: 'stderr' } } })).not.toBe(before);
    expect(checksum({ config: { audit: { format: 'ecs' } } })).not.toBe(before);
  });

  it('for limits.connections while the gateway decides on its threads by it, and not if relays is a number', () => {
    const limits = { connections: 2000 };
    expect(checksum({ config: { limits } })).not.toBe(checksum({}));
    expect(checksum({ config: { relays: 'auto', limits } })).not.toBe(
      checksum({ config: { relays: 'auto' } }),
    );
    expect(checksum({ config: { relays: 2, limits } })).toBe(checksum({ config: { relays: 2 } }));
  });

  it('but not for values that the gateway applies while it runs', () => {
    const before = podOf(render('default'));
    for (const config of [
      { clients: { allowlist: ['198.51.100.1'] } },
      { routes: [{ path: '/', upstream: 'http://other' }] },
      { timeouts: { keepAlive: '10s' } },
      { trust: { refresh: '1h' } },
    ]) {
      expect(podOf(render('default', { config }))).toEqual(before);
    }
  });

  it('for every field that the gateway cannot change while it runs', () => {
    const source = readFileSync(new URL('../../src/config/changes.ts', import.meta.url), 'utf8');
    const [, list = ''] = /const fixed = \[([^\]]*)\]/.exec(source) ?? [];
    expect([...list.matchAll(/'(.*)'/g)].map(([, path]) => path)).toEqual([
      ...['listen.address', 'listen.port', 'relays', 'admin.address', 'admin.port', 'audit.destination'],
      ...['audit.format', 'audit.seal', 'audit.rotate'],
      // The chart sets the same path for all pods.
      'trust.cacheDir',
    ]);
  });
});

/** The keys of a JSON Schema whose values may be `off` or `on`, or the boolean that Helm reads for it. */
function worded(schema: Record<string, unknown>, key = ''): string[] {
  const isWord = Array.isArray(schema.enum) && schema.enum.includes(false);
  const inner = Object.entries(schema).flatMap(([name, value]) => {
    if (!(value instanceof Object)) return [];
    const isField = name !== 'properties' && name !== 'anyOf' && name !== 'items' && !/^\d+$/.test(name);
    return worded(value as Record<string, unknown>, isField ? name : key);
  });
  return [...(isWord ? [key] : []), ...inner];
}
