import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chart, command, kubernetes, objectsIn, renderText, valueSets, valuesFile } from './support/chart.ts';
import { hasDefinition, problemsOf } from './support/definitions.ts';

const folder = mkdtempSync(join(tmpdir(), 'ehi-chart-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('passes strict lint without values, although it cannot be installed without them', () => {
  const { status, stdout } = command('helm', ['lint', '--strict', chart]);
  expect(stdout).toContain('0 chart(s) failed');
  expect(status).toBe(0);
});

describe.each(valueSets)('with the values %s', (set) => {
  const text = renderText(set);
  const objects = objectsIn(text);

  it('passes strict lint', () => {
    const lint = ['lint', '--strict', '--kube-version', kubernetes, '--values', valuesFile(set), chart];
    const { status, stdout, stderr } = command('helm', lint);
    expect(stdout + stderr).toContain('0 chart(s) failed');
    expect(stderr).not.toContain('Fail:');
    expect(status).toBe(0);
  });

  it('renders only objects that are valid by the schemas of Kubernetes and of the operators', () => {
    const file = join(folder, `${set}.yaml`);
    writeFileSync(file, text);
    const { status, stdout, stderr } = command('kubernetes-validate', ['--strict', '--quiet', file]);
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '');
    // helm warns twice of each kind that Kubernetes does not have.
    const custom = objects.filter(({ apiVersion }) => /^(cert-manager|monitoring)\./.test(apiVersion));
    expect(said.filter((line) => !custom.some(({ kind }) => line.includes(`kind ${kind} `)))).toEqual([]);
    expect(status).toBe(0);
    expect(custom.filter((object) => !hasDefinition(object))).toEqual([]);
    expect(custom.flatMap(problemsOf)).toEqual([]);
  });

  it('gives each object a unique name within the length limits, the common labels, and the namespace', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const ours = objects.filter(({ metadata }) => !metadata.name.endsWith('-more'));
    for (const { metadata } of ours) {
      expect(metadata.name.length).toBeLessThanOrEqual(63);
      expect(metadata).toMatchObject({
        namespace: 'cards',
        labels: { 'app.kubernetes.io/instance': 'edge', 'app.kubernetes.io/managed-by': 'Helm' },
      });
    }
  });
});

it('reports an object that the definitions do not allow', () => {
  const [monitor] = objectsIn(renderText('service-monitor')).filter(({ kind }) => kind === 'ServiceMonitor');
  expect(monitor && problemsOf({ ...monitor, spec: { ...monitor.spec, endpoint: [] } })).toHaveLength(1);
});
