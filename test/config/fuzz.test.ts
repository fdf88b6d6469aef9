import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { createSite, minimal, type Site } from './site.ts';
import { pathsOf, replace } from './value-paths.ts';

let site: Site;
let example: string;
beforeAll(async () => {
  site = await createSite();
  example = await readFile(new URL('../../config/example.yaml', import.meta.url), 'utf8');
});
afterAll(() => site[Symbol.asyncDispose]());

/** Loading does not throw: it succeeds, or reports problems whose positions are inside the text. */
async function expectResult(text: string): Promise<void> {
  const { problems, warnings, loaded } = await site.examine(text);
  expect(loaded === null).toBe(problems.length > 0);
  const lines = text.split('\n');
  for (const { line, column, found, allowed } of [...problems, ...warnings]) {
    const length = lines[line - 1]?.length ?? -1;
    expect(length, `line ${line}`).toBeGreaterThanOrEqual(0);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(length + 1);
    expect(found).not.toBe('');
    expect(allowed).not.toBe('');
  }
}

const marks = fc.constantFrom(
  ...'[]{}:,-?&*!|>\'"%@`#~<= \n\t',
  '\r\n',
  ': ',
  '- ',
  '\n  ',
  '---',
  '...',
  '&a ',
  '*a',
  '!!str ',
  '\0',
  '\u2028',
);
const yamlish = fc.array(
  fc.oneof(marks, fc.constantFrom('listen', 'clients', 'match', 'a', '1', 'null', '<<')),
  { maxLength: 40 },
);

test('does not throw for any text, and for any sequence of YAML tokens', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    yamlish.map((parts) => parts.join('')),
  );
  await fc.assert(fc.asyncProperty(text, expectResult), { numRuns: 1500 });
});

test('does not throw for any value, alone and in the place of every part of a configuration', async () => {
  const paths = pathsOf(minimal);
  const value = fc.option(fc.oneof(fc.jsonValue(), fc.double()), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(value, fc.constantFrom(...paths), async (replacement, path) => {
      await expectResult(stringify(replacement) ?? '');
      await expectResult(stringify(replace(minimal, path, replacement)) ?? '');
      await expectResult(JSON.stringify(replace(minimal, path, replacement)) ?? '');
    }),
    { numRuns: 500 },
  );
});

test('does not throw for the example with random damage', async () => {
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 12 }),
    put: fc.oneof(fc.constant(''), marks, fc.string()),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      let text = example;
      for (const { at, cut, put } of damages) {
        const start = Math.floor(at * text.length);
        text = text.slice(0, start) + put + text.slice(start + cut);
      }
      await expectResult(text);
    }),
    // The library's own line counter misses lines after this.
    { numRuns: 500, examples: [[[{ at: 0, cut: 0, put: '*{' }]]] },
  );
});
