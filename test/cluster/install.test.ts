import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, objectsIn, podOf, valueSets, valuesFile } from '../helm/support/chart.ts';
import { type Cluster, startCluster } from './support/cluster.ts';

const namespace = 'cards';
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  // Objects that a controller would create in each namespace.
  apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
});
afterAll(() => cluster[Symbol.asyncDispose]());

function apply(object: object): void {
  expect(cluster.kubectl(['create', '--filename', '-'], JSON.stringify(object))).toMatchObject({ status: 0 });
}

/** Helm in the namespace, without waiting for pods: none ever starts. */
function helm(...args: string[]) {
  return cluster.helm([...args, '--namespace', namespace]);
}

function install(release: string, set: string) {
  return helm('upgrade', '--install', '--history-max', '0', release, chart, '--values', valuesFile(set));
}

function manifestOf(release: string): string {
  return helm('get', 'manifest', release).stdout;
}

/** The response of the API server to a pod as a Deployment would create it. */
function admit(pod: { metadata?: object; spec: object }) {
  const metadata = { ...pod.metadata, name: 'admitted', namespace };
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod, metadata });
  return cluster.kubectl(['create', '--dry-run=server', '--output', 'json', '--filename', '-'], text);
}

function names(...kinds: string[]): string[] {
  const { stdout } = cluster.kubectl(['get', kinds.join(','), '--namespace', namespace, '--output', 'name']);
  return stdout.split('\n').filter((line) => line !== '');
}

const secretOf = (name: string): string =>
  cluster.kubectl(['get', 'secret', name, '--namespace', namespace, '--output', 'jsonpath={.data.secret}'])
    .stdout;

/** Values that change immutable fields of an existing Service: each needs a release of its own. */
const unchangeable = ['dual-stack', 'proxy-protocol'];

describe.sequential('a release in a restricted namespace', () => {
  let secret = '';

  it('is installed', () => {
    expect(install('edge', 'default')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('helm test edge --namespace cards --logs'),
    });
    secret = secretOf('edge-ehi-gateway-resumption');
    expect(secret).not.toBe('');
  });

  it.each(valueSets)('is upgraded to the values %s, and its pods are admitted', (set) => {
    const release = unchangeable.includes(set) ? `edge-${set}` : 'edge';
    const { status, stderr } = install(release, set);
    expect({ status, stderr: stderr.replace(/^.*would violate PodSecurity.*\n?/gm, '') }).toEqual({
      status: 0,
      stderr: '',
    });
    const text = manifestOf(release);
    const strict = [
      'apply',
      '--dry-run=server',
      '--validate=strict',
      '--namespace',
      namespace,
      '--filename',
      '-',
    ];
    expect(cluster.kubectl(strict, text)).toMatchObject({ status: 0 });
    const admitted = admit(podOf(objectsIn(text)));
    if (set === 'daemonset') {
      expect(admitted.stderr).toMatch(/violates PodSecurity "restricted:latest": hostPort/);
    } else {
      expect(admitted).toMatchObject({ status: 0 });
      const { volumes } = JSON.parse(admitted.stdout).spec;
      expect(volumes.filter(({ projected }: { projected?: object }) => projected)).toEqual([]);
    }
    if (release !== 'edge') expect(helm('uninstall', release)).toMatchObject({ status: 0 });
  });

  it('refuses a pod that the standard does not allow', () => {
    const pod = podOf(objectsIn(manifestOf('edge')));
    const { status, stderr } = admit({ ...pod, spec: { ...pod.spec, securityContext: {} } });
    expect(stderr).toContain('violates PodSecurity "restricted:latest"');
    expect(status).toBe(1);
  });

  it('admits the pod of helm test', () => {
    const hooks = objectsIn(helm('get', 'hooks', 'edge').stdout);
    const test = hooks.find(({ kind }) => kind === 'Pod');
    expect(admit({ spec: test?.spec })).toMatchObject({ status: 0 });
  });

  it('refuses values that are wrong, and stays as it was', () => {
    const before = manifestOf('edge');
    const wrong = helm('upgrade', 'edge', chart, '--reuse-values', '--set', 'config.relays=0');
    expect(wrong).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("'/config/relays': minimum: got 0"),
    });
    expect(manifestOf('edge')).toBe(before);
  });

  it('is rolled back to how it began', () => {
    expect(helm('rollback', 'edge', '1')).toMatchObject({ status: 0 });
    const history: { status: string; description: string }[] = parse(
      helm('history', 'edge', '--output', 'yaml').stdout,
    );
    expect(history.at(-1)).toMatchObject({ status: 'deployed', description: 'Rollback to 1' });
    expect(names('deployments.apps', 'daemonsets.apps')).toEqual(['deployment.apps/edge-ehi-gateway']);
  });

  it('keeps its resumption secret through all of it', () => {
    expect(secretOf('edge-ehi-gateway-resumption')).toBe(secret);
  });

  it('leaves behind, once it is uninstalled, what is kept, and finds it again', () => {
    expect(helm('uninstall', 'edge')).toMatchObject({ status: 0 });
    expect(names('deployments.apps', 'services', 'networkpolicies', 'poddisruptionbudgets')).toEqual([]);
    expect(names('configmaps', 'servicemonitors', 'podmonitors', 'prometheusrules', 'certificates')).toEqual(
      [],
    );
    expect(names('persistentvolumeclaims')).toEqual(['persistentvolumeclaim/edge-ehi-gateway-trust']);
    expect(install('edge', 'default')).toMatchObject({ status: 0 });
    expect(secretOf('edge-ehi-gateway-resumption')).toBe(secret);
  });
});
