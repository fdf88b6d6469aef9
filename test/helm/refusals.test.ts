import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, template, valuesOf } from './support/chart.ts';

/** A wrong value in addition to the default set → the message of helm: the path, and what is allowed. */
const wrong: readonly (readonly [title: string, values: object, expected: string])[] = [
  [
    'a field that the configuration does not know',
    { config: { timeouts: { drainTime: '1s' } } },
    `'/config/timeouts': additional properties 'drainTime' not allowed`,
  ],
  [
    'a field of the configuration that the chart sets',
    { config: { admin: { port: 9090 } } },
    `'/config': additional properties 'admin' not allowed`,
  ],
  [
    'a listener’s port in the configuration',
    { config: { listen: { port: 8443 } } },
    `'/config/listen': additional properties 'port' not allowed`,
  ],
  [
    'a duration without its unit',
    { config: { timeouts: { drain: 30 } } },
    `'/config/timeouts/drain': got number, want string`,
  ],
  [
    'a duration with an unknown unit',
    { config: { timeouts: { drain: '30 sec' } } },
    `'/config/timeouts/drain': '30 sec' does not match pattern '^(0|[1-9]\\\\d{0,9})(ms|s|m|h)$'`,
  ],
  ['no relay threads', { config: { relays: 0 } }, `'/config/relays': minimum: got 0, want 1`],
  [
    'an allowlist of host names',
    { config: { clients: { allowlist: ['caller.example.com'] } } },
    `'/config/clients/allowlist/0': 'caller.example.com' does not match pattern`,
  ],
  [
    'an address that is not valid',
    { config: { clients: { allowlist: ['203.0.113.999'] } } },
    `'/config/clients/allowlist/0': '203.0.113.999' does not match pattern`,
  ],
  [
    'a null instead of a list',
    { networkPolicy: { scrapers: null } },
    `'/networkPolicy': missing property 'scrapers'`,
  ],
  ['a null instead of a mapping', { podLabels: null }, `'': missing property 'podLabels'`],
  ['no configuration', { config: null }, `'': missing property 'config'`],
  [
    'a pin that is not a SHA-256',
    { config: { clients: { pins: ['sha256/AAAA'] } } },
    `'/config/clients/pins/0': 'sha256/AAAA' does not match pattern`,
  ],
  [
    'an environment that Thredd does not have',
    { config: { trust: { anchors: [{ name: 'a', preset: 'staging' }] } } },
    `'/config/trust/anchors/0/preset': value must be one of 'sandbox', 'production'`,
  ],
  [
    'an anchor over plain HTTP',
    { config: { trust: { anchors: [{ name: 'a', urls: ['http://pki.example.com'] }] } } },
    `'/config/trust/anchors/0/urls/0': 'http://pki.example.com' does not match pattern`,
  ],
  [
    'a route with a .. segment',
    { config: { routes: [{ path: '/a/../b', upstream: 'http://host' }] } },
    `'/config/routes/0/path': '/a/../b' does not match pattern`,
  ],
  [
    'an upstream with another scheme',
    { config: { routes: [{ path: '/', upstream: 'ftp://host' }] } },
    `'/config/routes/0/upstream': 'ftp://host' does not match pattern`,
  ],
  [
    'a route without an upstream',
    { config: { routes: [{ path: '/' }] } },
    `'/config/routes/0': missing property 'upstream'`,
  ],
  [
    'a value that the chart does not know',
    { replicaCount: 3 },
    `additional properties 'replicaCount' not allowed`,
  ],
  ['replicas as text', { replicas: 'two' }, `'/replicas': got string, want integer`],
  ['an unknown kind', { kind: 'StatefulSet' }, `'/kind': value must be one of 'Deployment', 'DaemonSet'`],
  ['a port above 65535', { service: { port: 70_000 } }, `'/service/port': maximum: got 70,000, want 65,535`],
  [
    'an unknown cloud provider',
    { service: { proxyProtocol: { provider: 'gcp' } } },
    `'/service/proxyProtocol/provider': value must be one of ''`,
  ],
  [
    'a certificate without a source',
    { certificates: [{}] },
    `'/certificates/0': missing property 'existingSecret'`,
  ],
  ['a file without a source', { files: { ca: {} } }, `'/files/ca': missing property 'secret'`],
];

describe('the schema refuses, and names the path and what is allowed', () => {
  it.each(wrong)('%s', (_, values, expected) => {
    const { status, stderr } = template('default', values);
    expect(stderr).toContain(`at '`);
    expect(stderr).toContain(expected);
    expect(status).toBe(1);
  });
});

const together: readonly (readonly [title: string, values: object, expected: string])[] = [
  [
    'an anchor without rootSha256 and without a cache that is kept when the pod ends',
    { config: { trust: { anchors: [{ name: 'a', preset: 'sandbox' }] } } },
    'config.trust.anchors: a has no rootSha256',
  ],
  [
    'a candidate without both',
    { config: { trust: { candidates: [{ name: 'b', preset: 'sandbox' }] } } },
    'config.trust.candidates: b has no rootSha256',
  ],
  [
    'a file that is not mounted',
    { config: { trust: { anchors: [{ name: 'a', files: ['/etc/ehi-gateway/files/ca/root.pem'] }] } } },
    'files.ca is missing',
  ],
  [
    'PROXY protocol without trusted addresses',
    { service: { proxyProtocol: { provider: 'aws' } } },
    'service.proxyProtocol.trusted',
  ],
  [
    'a trusted load balancer without PROXY protocol',
    { service: { proxyProtocol: { trusted: ['10.0.0.1'] } } },
    'service.proxyProtocol.provider',
  ],
  [
    'autoscaling of a DaemonSet',
    { kind: 'DaemonSet', autoscaling: { enabled: true } },
    'autoscaling.enabled: only with kind: Deployment',
  ],
  [
    'autoscaling without a metric',
    { autoscaling: { enabled: true, cpuUtilization: null } },
    'autoscaling: set cpuUtilization, inFlight or both',
  ],
  [
    'a ServiceMonitor without its Service',
    { adminService: { enabled: false }, monitoring: { serviceMonitor: { enabled: true } } },
    'monitoring.serviceMonitor.enabled',
  ],
  [
    'a grace period shorter than the drain',
    { terminationGracePeriodSeconds: 20 },
    'terminationGracePeriodSeconds: 20 s would end the pod while it drains',
  ],
  [
    'less memory than the connections of all relay threads may need',
    { config: { relays: 3 } },
    'resources.limits.memory: 768Mi is less than the 982 MiB that config.limits.connections: 4000 may need with 3 relay threads (config.relays)',
  ],
  [
    'less memory than the connections of one relay thread may need, in bytes with an exponent',
    { config: { relays: 1, limits: { connections: 10_000 } }, resources: { limits: { memory: '0.82e9' } } },
    'is less than the 785 MiB that config.limits.connections: 10000 may need with 1 relay thread\n',
  ],
  ...[undefined, 'auto'].map((relays): [string, object, string] => [
    `less memory than one relay thread may need, when the gateway decides on the threads (relays: ${relays})`,
    { config: { relays }, resources: { limits: { memory: '409Mi' } } },
    '409Mi is less than the 410 MiB that config.limits.connections: 4000 may need with 1 relay thread\n',
  ]),
  [
    'the same port for listener and admin',
    { ports: { admin: 8443 } },
    'ports: listener and admin need different ports',
  ],
];

describe('the chart refuses', () => {
  it.each(together)('%s', (_, values, expected) => {
    const { status, stderr } = template('default', values);
    expect(stderr).toContain('do not go together');
    expect(stderr).toContain(expected);
    expect(status).toBe(1);
  });

  it.each([
    ['2 relay threads', { config: { relays: 2 } }],
    ['as many as the gateway decides', { config: { relays: 'auto' } }],
    ['enough for one, when the gateway decides', { resources: { limits: { memory: '410Mi' } } }],
    ['no limit', { config: { relays: 9 }, resources: { limits: null } }],
    ['no limit of memory', { config: { relays: 9 }, resources: { limits: { memory: null } } }],
    ...['982Mi', '1030M', '1.0Gi', '1100000Ki', '2e9', 1_100_000_000].map((memory): [string, object] => [
      `3 and ${memory}`,
      { config: { relays: 3 }, resources: { limits: { memory } } },
    ]),
  ])('not for its memory: %s', (_, values) => {
    expect(template('default', values)).toMatchObject({ status: 0, stderr: '' });
  });

  it('a configuration that names no caller', () => {
    const values = valuesOf('default');
    const { status, stderr } = template(null, {
      ...values,
      config: { ...(values.config as object), clients: {} },
    });
    expect(stderr).toContain('config.clients: a match, pin or allowlist');
    expect(status).toBe(1);
  });

  it('an installation without values, and names everything that is missing', () => {
    const { status, stderr } = template(null);
    for (const field of ['certificates', 'config.trust.anchors', 'config.clients', 'config.routes']) {
      expect(stderr).toContain(`- ${field}: `);
    }
    expect(status).toBe(1);
  });
});

it('values.yaml documents every value of the schema, and no other', () => {
  const values = parse(readFileSync(`${chart}values.yaml`, 'utf8'));
  const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, 'utf8'));
  const known = keysOf(schema).filter((key) => !['global', 'enabled'].includes(key));
  expect(pathsOf(values).sort()).toEqual(known.sort());
});

/** An object without fixed keys counts as one value. */
function keysOf(schema: Record<string, Record<string, never>>, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const isClosed = 'properties' in inner && key !== 'config' && key !== 'resources';
    return isClosed ? keysOf(inner, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

function pathsOf(values: object, prefix = ''): string[] {
  const free =
    /^(config|files|resources|updateStrategy|affinity|\w+Selector|.*[aA]nnotations|.*[lL]abels|.*ecurityContext|probes\..*|.*behavior)$/;
  return Object.entries(values).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const isMapping = value instanceof Object && !Array.isArray(value) && !free.test(path);
    return isMapping ? pathsOf(value, `${path}.`) : [path];
  });
}
