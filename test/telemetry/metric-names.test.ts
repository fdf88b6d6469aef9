import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { metricTable } from '../../src/telemetry/metric-table.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const texts = globSync(['README.md', '{src,docs,helm,packaging}/**/*.{ts,md,yaml,json,tpl,txt}'], {
  cwd: root,
});
/** The name of a data set in ECS. */
const others = ['ehi_gateway'];

it('exists for each metric that a message, a page, an alert or a dashboard names', () => {
  const known = new Set<string>([...metricTable.map(({ name }) => name), ...others]);
  const named = texts.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\behi_[a-z0-9_]*[a-z0-9]\b(?!_)/g)].map(
      ([name]) => ({
        file,
        name: name.replace(/_(bucket|count|sum)$/, ''),
      }),
    ),
  );
  expect(named.length).toBeGreaterThan(200);
  expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
});
