import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSite, minimal, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const problemsOf = (config: string) => site.problems(config);

test.each([
  ['a tag', 'listen: !!binary aGk=\n', 'gateway.yaml:1:9'],
  ['a mapping as a key', '{ a: 1 }: 2\n', 'gateway.yaml:1:1'],
  ['an alias that contains itself', 'listen: &a [*a]\n', 'gateway.yaml:1:1'],
  ['lists nested thousands deep', '['.repeat(50_000), 'gateway.yaml:1:'],
])('refuses %s as YAML that cannot be read', async (_, text, place) => {
  const problem = (await problemsOf(text)).find((line) => line.startsWith(place));
  expect(problem).toMatch(/\(document\): found (?:YAML that cannot be read|a \[ or \{ that is not closed)/);
});

test.each([
  [
    'a tab as indentation',
    'listen:\n\tport: 1\n',
    '2:1: (document): found a tab as indentation; allowed spaces',
  ],
  [
    'an open list',
    'listen: [\ntrust: {}\n',
    '2:1: (document): found a [ or { that is not closed before this line; allowed closed brackets, their content indented',
  ],
  [
    'two documents',
    'listen: {}\n---\ntrust: {}\n',
    '2:1: (document): found a second document (after ---); allowed one document in one file',
  ],
  [
    'a double quote that is never closed, at the quote',
    'listen:\n  address: "127.0.0.1\n  port: 8443\nrelays: 1\n',
    '2:12: (document): found a " that is never closed; allowed a " at the end of the text',
  ],
  [
    'a single quote that is never closed, behind one that is',
    "listen:\n  address: '::1'\nadmin:\n  address: '::1\n",
    "4:12: (document): found a ' that is never closed; allowed a ' at the end of the text",
  ],
  [
    'a colon without a space',
    'listen:\n  port:8443\n  address: 127.0.0.1\n',
    '2:3: (document): found a line that is neither a key nor a value; allowed key: value, with a space after the colon',
  ],
  [
    'a text that starts with @',
    'clients: { match: { commonName: @a } }\n',
    '1:33: (document): found a text that begins with @, ` or %; allowed quotes around such a text',
  ],
])('reports the YAML error and its position: %s', async (_, text, problem) => {
  expect(await problemsOf(text)).toEqual([`gateway.yaml:${problem}`]);
});

test('follows aliases', async () => {
  const config = { trust: { anchors: [{ name: 'own', files: ['a'] }], refresh: '1h' } };
  const text = `x: &t 3s\n${JSON.stringify({ ...minimal, ...config }).replace('"1h"', '*t')}`;
  const { problems } = await site.examine(text.replace(/^x: &t 3s\n\{/, '{"timeouts":{"head":&t 3s},'));
  expect(problems).toEqual([]);
});

test.each(['__proto__', 'constructor', 'toString'])(
  'reports an unknown key %s like any other',
  async (key) => {
    const text = `${key}: { x: 1 }\n${Object.entries(minimal)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
      .join('')}`;
    expect(await problemsOf(text)).toEqual([
      expect.stringMatching(/^gateway\.yaml:1:1: .+ found an unknown key; allowed the keys /),
    ]);
  },
);
