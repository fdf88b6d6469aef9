import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config/parse.ts';
import { configSchema } from '../../src/config/schema/schema.ts';
import { pathsOf, replace } from './value-paths.ts';

const folder = '/etc/ehi-gateway';
const example: unknown = parse(await readFile(new URL('../../config/example.yaml', import.meta.url), 'utf8'));

test('returns the output and the issues of the whole schema, whatever a field holds', () => {
  const schema = configSchema(folder);
  const value = fc.oneof(fc.constantFrom(undefined, null, [], {}, 'off', '2s', 1), fc.jsonValue());
  fc.assert(
    fc.property(fc.constantFrom(...pathsOf(example)), value, (path, replacement) => {
      const config = replace(example, path, replacement);
      const whole = schema.safeParse(config);
      const { config: output, issues } = parseConfig(config, folder);
      expect(output).toEqual(whole.data);
      expect(issues.map(summary)).toEqual((whole.error?.issues ?? []).map(summary));
    }),
    { numRuns: 500 },
  );
});

test('returns the valid parts though another part of the same section is not valid', () => {
  const upstream = 'http://127.0.0.1:8080';
  const { config, parts } = parseConfig(
    {
      listen: { port: 'wrong', certificate: { chain: 'a.pem', key: 'a.key' } },
      trust: { anchors: [{ name: 'a', files: ['b.pem'] }] },
      routes: [{ upstream }, { path: '/a', upstream: [upstream, 'http://127.0.0.1:8081'] }],
    },
    folder,
  );
  expect(config).toBeUndefined();
  expect(parts.certificates).toEqual([
    { path: ['listen', 'certificate'], entry: { chain: `${folder}/a.pem`, key: `${folder}/a.key` } },
  ]);
  expect(parts.trust?.anchors[0]?.files).toEqual([`${folder}/b.pem`]);
  expect(parts.routes.map(({ route }) => route?.path)).toEqual([undefined, '/a']);
  expect(parts.routes.flatMap(({ endpoints }) => endpoints.map(({ path }) => path))).toEqual([
    ['routes', 0, 'upstream'],
    ['routes', 1, 'upstream', 0],
    ['routes', 1, 'upstream', 1],
  ]);
});

function summary({ code, path, message }: { code: string; path: PropertyKey[]; message: string }) {
  return { code, path, message };
}
