import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { command, renderText, valueSets } from './support/chart.ts';

/** Checks that are skipped, with the reason. */
const exceptions: Record<string, string> = {
  CKV_K8S_11: 'no CPU limit: throttling delays answers beyond the 200 ms that the sender waits',
  CKV_K8S_15: 'the installer chooses the pull policy; a tag of a release does not change',
  CKV_K8S_43: 'the installer chooses a digest by image.digest; the chart cannot know that of its registry',
};

/** Skipped for the pod of `helm test`, which ends by itself and has no listener. */
const ofTest: Record<string, string> = {
  ...exceptions,
  CKV_K8S_8: 'no liveness probe: it lives for seconds',
  CKV_K8S_9: 'no readiness probe: no Service leads to it',
  CKV2_K8S_6: 'no NetworkPolicy of its own: it must reach the Service as any other pod does',
};

/** Skipped for one value set. */
const ofSet: Record<string, Record<string, string>> = {
  daemonset: { CKV_K8S_26: 'a port of the node is what these values ask for' },
  'ipv4-only': { CKV2_K8S_6: 'no NetworkPolicy is what these values ask for' },
};

const folder = mkdtempSync(join(tmpdir(), 'ehi-chart-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The failed checks of checkov with these arguments. */
function findings(framework: string, args: readonly string[]): string[] {
  const { stdout } = command('checkov', [
    ...['--framework', framework, '--output', 'json', '--skip-download', '--quiet', ...args],
  ]);
  const { results, summary } = JSON.parse(stdout);
  expect(summary.passed).toBeGreaterThan(0);
  expect(summary.parsing_errors).toBe(0);
  return results.failed_checks.map(({ check_id, check_name, resource }: Record<string, string>) => {
    return `${check_id} ${check_name}: ${resource}`;
  });
}

function failures(text: string, skipped: Record<string, string>): string[] {
  const file = join(folder, 'rendered.yaml');
  writeFileSync(file, text);
  return findings('kubernetes', ['--file', file, '--skip-check', Object.keys(skipped).join(',')]);
}

/** The documents of a rendered chart, those of the test pod or the others. */
function part(text: string, isOfTest: boolean): string {
  return text
    .split(/^(?=---$)/m)
    .filter((document) => document.includes('helm.sh/hook: test') === isOfTest)
    .join('');
}

describe('checkov finds no failed check in', () => {
  // `extras` has other containers, and `bare` has no user and no policy.
  it.each(valueSets.filter((set) => !['extras', 'bare'].includes(set)))('the objects with %s', (set) => {
    expect(failures(part(renderText(set), false), { ...exceptions, ...ofSet[set] })).toEqual([]);
  });

  it('the pod of helm test', () => {
    expect(failures(part(renderText('default'), true), ofTest)).toEqual([]);
  });
});

it('checkov reports settings that were removed', () => {
  const text = part(renderText('default'), false).replace('readOnlyRootFilesystem: true', '');
  expect(failures(text, exceptions)).toEqual([expect.stringContaining('CKV_K8S_22 ')]);
});

/** The files name the skipped checks, with the reason. */
describe('checkov finds no failed check in the files of build and delivery', () => {
  const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

  it('the Dockerfile', () => {
    expect(findings('dockerfile', ['--file', source('Dockerfile')])).toEqual([]);
  });

  it('the workflows', () => {
    expect(findings('github_actions', ['--directory', source('.github')])).toEqual([]);
  });

  it('and reports a failed check of a wrong file', () => {
    const file = join(folder, 'Dockerfile');
    writeFileSync(file, readFileSync(source('Dockerfile'), 'utf8').replace(/^USER .*$/m, 'USER root'));
    expect(findings('dockerfile', ['--file', file])).toEqual([expect.stringContaining('CKV_DOCKER_8 ')]);
  });
});
