import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, template, valuesOf } from './support/chart.ts';

/** A wrong value over the default set → what helm says of it: the path, and what is allowed. */
const wrong: readonly (readonly [title: string, values: object, said: string])[] = [
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
    'a duration in a unit that is none',
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
    'an address that is none',
    { config: { clients: { allowlist: ['203.0.113.999'] } } },
    `'/config/clients/allowlist/0': '203.0.113.999' does not match pattern`,
  ],
  [
    'no value where a list belongs',
    { networkPolicy: { scrapers: null } },
    `'/networkPolicy': missing property 'scrapers'`,
  ],
  ['no value where a mapping belongs', { podLabels: null }, `'': missing property 'podLabels'`],
  ['no configuration at all', { config: null }, `'': missing property 'config'`],
  [
    'a pin that is no SHA-256',
    { config: { clients: { pins: ['sha256/AAAA'] } } },
    `'/config/clients/pins/0': 'sha256/AAAA' does not match pattern`,
  ],
  [
    'an environment that Thredd has not',
    { config: { trust: { anchors: [{ name: 'a', preset: 'staging' }] } } },
    `'/config/trust/anchors/0/preset': value must be one of 'sandbox', 'production'`,
  ],
  [
    'an anchor over plain HTTP',
    { config: { trust: { anchors: [{ name: 'a', urls: ['http://pki.example.com'] }] } } },
    `'/config/trust/anchors/0/urls/0': 'http://pki.example.com' does not match pattern`,
  ],
  [
    'a route that climbs',
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
  ['replicas in words', { replicas: 'two' }, `'/replicas': got string, want integer`],
  [
    'a kind that is none of the two',
    { kind: 'StatefulSet' },
    `'/kind': value must be one of 'Deployment', 'DaemonSet'`,
  ],
  [
    'a port beyond the last',
    { service: { port: 70_000 } },
    `'/service/port': maximum: got 70,000, want 65,535`,
  ],
  [
    'a cloud whose annotation is not known',
    { service: { proxyProtocol: { provider: 'gcp' } } },
    `'/service/proxyProtocol/provider': value must be one of ''`,
  ],
  [
    'a certificate from nowhere',
    { certificates: [{}] },
    `'/certificates/0': missing property 'existingSecret'`,
  ],
  ['a file from nowhere', { files: { ca: {} } }, `'/files/ca': missing property 'secret'`],
];

describe('the schema refuses, with the path and what is allowed', () => {
  it.each(wrong)('%s', (_, values, said) => {
    const { status, stderr } = template('default', values);
    expect(stderr).toContain(`at '`);
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });
});

const together: readonly (readonly [title: string, values: object, said: string])[] = [
  [
    'an anchor without a pin and without a cache that outlives the pod',
    { config: { trust: { anchors: [{ name: 'a', preset: 'sandbox' }] } } },
    'config.trust.anchors: a has no rootSha256',
  ],
  [
    'a candidate without either',
    { config: { trust: { candidates: [{ name: 'b', preset: 'sandbox' }] } } },
    'config.trust.candidates: b has no rootSha256',
  ],
  [
    'a file that nothing mounts',
    { config: { trust: { anchors: [{ name: 'a', files: ['/etc/ehi-gateway/files/ca/root.pem'] }] } } },
    'files.ca is missing',
  ],
  [
    'PROXY protocol that nobody is trusted with',
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
    'autoscaling by nothing',
    { autoscaling: { enabled: true, cpuUtilization: null } },
    'autoscaling: cpuUtilization, inFlight or both',
  ],
  [
    'a ServiceMonitor without its Service',
    { adminService: { enabled: false }, monitoring: { serviceMonitor: { enabled: true } } },
    'monitoring.serviceMonitor.enabled',
  ],
  [
    'less time for the last answers than they are given',
    { terminationGracePeriodSeconds: 20 },
    'terminationGracePeriodSeconds: 20 s would cut what is still draining',
  ],
  [
    'less memory than the connections of all relay threads may take',
    { config: { relays: 3 } },
    'resources.limits.memory: 768Mi is less than the 978 MiB that config.limits.connections: 4000 may take with config.relays: 3',
  ],
  [
    'less memory than the connections of one may take, in a unit of its own',
    { config: { limits: { connections: 10_000 } }, resources: { limits: { memory: '0.829e9' } } },
    'is less than the 791 MiB that config.limits.connections: 10000 may take with config.relays: 1',
  ],
  ['one port for both', { ports: { admin: 8443 } }, 'ports: two different ones'],
];

describe('the chart refuses', () => {
  it.each(together)('%s', (_, values, said) => {
    const { status, stderr } = template('default', values);
    expect(stderr).toContain('do not go together');
    expect(stderr).toContain(said);
    expect(status).toBe(1);
  });

  it.each([
    ['2 relay threads', { config: { relays: 2 } }],
    ['as many as the node has cores', { config: { relays: 'auto' } }],
    ['no limit', { config: { relays: 9 }, resources: { limits: null } }],
    ['no limit of memory', { config: { relays: 9 }, resources: { limits: { memory: null } } }],
    ...['978Mi', '1026M', '1.0Gi', '1100000Ki', '2e9', 1_100_000_000].map((memory): [string, object] => [
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

  it('an installation without values, and says everything that is missing', () => {
    const { status, stderr } = template(null);
    for (const field of ['certificates', 'config.trust.anchors', 'config.clients', 'config.routes']) {
      expect(stderr).toContain(`- ${field}: `);
    }
    expect(status).toBe(1);
  });
});

it('documents in values.yaml every value that the schema knows, and no other', () => {
  const values = parse(readFileSync(`${chart}values.yaml`, 'utf8'));
  const schema = JSON.parse(readFileSync(`${chart}values.schema.json`, 'utf8'));
  const known = keysOf(schema).filter((key) => !['global', 'enabled'].includes(key));
  expect(pathsOf(values).sort()).toEqual(known.sort());
});

/** Objects without fixed keys are one value. */
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
