import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);

test('schemas, reference pages and rules are those that the sources generate', () => {
  const generate = fileURLToPath(new URL('config/generate.ts', root));
  const { status, stderr } = spawnSync(process.execPath, [generate, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('the page of deny reasons has a status only for reasons after accept', async () => {
  const page = await readFile(new URL('docs/deny-reasons.md', root), 'utf8');
  const denied = page.slice(0, page.indexOf('## Failed'));
  const rows = denied.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  const statuses = (at: string) =>
    cells.flatMap(([, , , , , , stage, status]) => (stage === at ? [status] : []));
  expect(new Set(statuses('accept'))).toEqual(new Set(['']));
  expect(new Set(statuses('identity'))).toEqual(new Set(['400', '403']));
});

test('the example shows every key of the schema', async () => {
  const example = await readFile(new URL('config/example.yaml', root), 'utf8');
  const schema = JSON.parse(await readFile(new URL('config/schema.json', root), 'utf8'));
  const keys = keysOf(schema);
  expect(keys.length).toBeGreaterThan(50);
  expect(keys.filter((key) => !new RegExp(`\\b${key}:`).test(example))).toEqual([]);
});

test('the JSON Schema alone accepts the example and refuses unknown and wrong values', async () => {
  const schema = z.fromJSONSchema(JSON.parse(await readFile(new URL('config/schema.json', root), 'utf8')));
  const example = parse(await readFile(new URL('config/example.yaml', root), 'utf8'));
  expect(schema.safeParse(example).error).toBeUndefined();
  for (const wrong of [
    { extra: 1 },
    { relays: 0 },
    { routes: [] },
    { timeouts: { head: '1 s' } },
    { clients: { match: {} } },
  ]) {
    expect(schema.safeParse({ ...example, ...wrong }).success, JSON.stringify(wrong)).toBe(false);
  }
});

function keysOf(schema: unknown): string[] {
  if (!(schema instanceof Object)) return [];
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}
