/** Which Node the gateway needs: package.json says it, and everything else says the same. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeVersionProblem } from '../src/node-version.ts';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const { node: range } = JSON.parse(read('package.json')).engines as { node: string };
const least = range.replace('>=', '');

describe('the Node that runs the gateway', () => {
  it.each([
    ['20.20.2', false],
    ['22.22.0', false],
    ['24.9.0', false],
    ['24.20.9', false],
    ['24.21.0', true],
    ['24.100.0', true],
    ['26.0.0', true],
    ['100.0.0', true],
  ])('%s is new enough for >=24.21: %s', (version, isNewEnough) => {
    const says = `ehi-gateway needs Node 24.21 or newer; this is Node ${version}`;
    expect(nodeVersionProblem(version, '>=24.21')).toBe(isNewEnough ? null : says);
  });

  it('is the same in package.json, its lockfile, the README and the pages that name one', () => {
    expect(range).toMatch(/^>=\d+\.\d+$/);
    expect(JSON.parse(read('package-lock.json')).packages[''].engines.node).toBe(range);
    for (const page of ['README.md', 'docs/install.md', 'Dockerfile', 'CONTRIBUTING.md']) {
      const named = [...read(page).matchAll(/Node (\d+(?:\.\d+)*) or newer/g)].map(([, version]) => version);
      expect(new Set(named), page).toEqual(new Set(page === 'CONTRIBUTING.md' ? [] : [least]));
    }
  });
});
