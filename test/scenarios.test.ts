/** docs/scenarios.md names tests that exist, and says where each is. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const page = new URL('../docs/scenarios.md', import.meta.url);
const rows = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => /^\| (?!scenario|---)/.test(line));

it.each(rows.map((row) => row.split(' | ')))('%s is tried by tests that exist', (_scenario, tests) => {
  const links = [...(tests ?? '').matchAll(/\[([a-z-]+)\]\(([^)]+)\)/g)];
  expect(links).not.toEqual([]);
  for (const [, name, path = ''] of links) {
    expect(path).toBe(`../test/gateway/${name}.test.ts`);
    expect(existsSync(fileURLToPath(new URL(path, page)))).toBe(true);
  }
});
