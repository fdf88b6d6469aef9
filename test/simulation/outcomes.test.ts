import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { failures } from '../../src/simulation/outcomes.ts';

it('every kind of failure is explained in docs/simulate.md', () => {
  const page = readFileSync(new URL('../../docs/simulate.md', import.meta.url), 'utf8');
  const kinds = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/\w+/g) ?? []);
  expect(kinds.toSorted()).toEqual(Object.keys(failures).toSorted());
});
