/** `tracing` in a configuration: off, with every field, and problems of its fields and files. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeProblem } from '../../../src/errors.ts';
import { authority } from '../../support/pki/authority.ts';
import { createSite, type Site } from '../site.ts';

let site: Site;
const pki = authority();
const endpoint = 'https://collector.example/v1/traces';

beforeAll(async () => {
  site = await createSite();
  await site.write('ca.pem', pki.root.pem);
});

afterAll(() => site[Symbol.asyncDispose]());

async function problemsOf(tracing: unknown): Promise<string[]> {
  const { problems, loaded } = await site.examine({ tracing });
  expect(loaded === null).toBe(problems.length > 0);
  return problems.map((problem) => describeProblem(problem).replace(/^.*?: (?=tracing)/, ''));
}

async function loadedOf(tracing: unknown) {
  const { loaded, problems, warnings } = await site.examine({ tracing });
  expect(problems.map(describeProblem)).toEqual([]);
  return { ...loaded, warnings };
}

describe('tracing', () => {
  test.each([[undefined], ['off']])('is off: %s', async (tracing) => {
    const { tracing: settings, config } = await loadedOf(tracing);
    expect(settings).toBeNull();
    expect(config?.tracing).toBeNull();
  });

  test('needs only an endpoint', async () => {
    const { tracing, config, warnings } = await loadedOf({ endpoint: 'http://127.0.0.1:4318/v1/traces' });
    expect(tracing).toEqual({
      endpoint: 'http://127.0.0.1:4318/v1/traces',
      serviceName: 'ehi-gateway',
      interval: 5000,
      headers: [],
      ca: null,
    });
    expect(config?.tracing?.sampleRatio).toBe(1);
    expect(warnings).toEqual([]);
  });

  test('may have every field, and its files are loaded with their content', async () => {
    await site.write('fields', 'Authorization:  Bearer a:b c= \r\n\r\nX-Tenant: a');
    const settings = { endpoint, serviceName: 'cards/eu-1', interval: '1s', sampleRatio: 0.01 };
    const { tracing } = await loadedOf({ ...settings, headersFile: 'fields', tls: { ca: 'ca.pem' } });
    expect(tracing).toEqual({
      endpoint,
      serviceName: 'cards/eu-1',
      interval: 1000,
      headers: [
        ['authorization', 'Bearer a:b c='],
        ['x-tenant', 'a'],
      ],
      ca: [expect.stringContaining('BEGIN CERTIFICATE')],
    });
  });

  test('warns of header fields that are sent without TLS', async () => {
    await site.write('fields', 'authorization: secret');
    const warningsOf = async (host: string) =>
      (await loadedOf({ endpoint: `http://${host}:4318/v1/traces`, headersFile: 'fields' })).warnings;
    expect(await warningsOf('collector')).toMatchObject([
      { path: 'tracing.headersFile', found: 'header fields that are sent without TLS' },
    ]);
    for (const here of ['localhost', '127.0.0.1', '[::1]']) expect(await warningsOf(here)).toEqual([]);
  });
});

describe('reports a problem for', () => {
  const url =
    'an http:// or https:// URL with its path, without credentials and fragment, such as http://127.0.0.1:4318/v1/traces';

  test.each([
    ['on', 'tracing: found "on"; allowed a mapping, or off'],
    [{}, expect.stringMatching(/^tracing\.endpoint: found nothing; allowed an http/)],
    [{ endpoint: 'collector:4318' }, `tracing.endpoint: found "collector:4318"; allowed ${url}`],
    [{ endpoint: 'http://c:4318' }, `tracing.endpoint: found "http://c:4318"; allowed ${url}`],
    [{ endpoint: 'http://c:4318/' }, `tracing.endpoint: found "http://c:4318/"; allowed ${url}`],
    [{ endpoint: 'grpc://c:4317/v1' }, `tracing.endpoint: found "grpc://c:4317/v1"; allowed ${url}`],
    [{ endpoint, sampleRatio: 1.5 }, 'tracing.sampleRatio: found 1.5; allowed a number from 0 to 1'],
    [{ endpoint, sampleRatio: '1%' }, 'tracing.sampleRatio: found "1%"; allowed a number from 0 to 1'],
    [
      { endpoint, serviceName: 'a b' },
      'tracing.serviceName: found "a b"; allowed up to 255 letters, digits, ".", "_", "/" and "-"',
    ],
    [
      { endpoint: 'http://c/v1/traces', tls: { ca: 'ca.pem' } },
      'tracing.tls: found a mapping; allowed tls beside an https endpoint',
    ],
  ])('%j', async (tracing, problem) => {
    expect(await problemsOf(tracing)).toEqual([problem]);
  });

  test('a URL with credentials, without repeating them', async () => {
    const problems = await problemsOf({ endpoint: 'https://user:password@collector/v1/traces' });
    expect(problems).toHaveLength(1);
  });

  test('a CA file that has no CA or is missing', async () => {
    await site.write('no-ca.pem', 'x');
    const [none] = await problemsOf({ endpoint, tls: { ca: 'no-ca.pem' } });
    expect(none).toMatch(/^tracing\.tls\.ca: found .*no-ca\.pem: .*; allowed PEM or DER: the CAs of the /);
    const [absent] = await problemsOf({ endpoint, tls: { ca: 'absent.pem' } });
    expect(absent).toMatch(/^tracing\.tls\.ca: found .*absent\.pem that cannot be read \(ENOENT\)/);
  });

  test.each([
    ['no field', 'authorization secret\n', 'line 1, which is not a field, or a field that may not be set'],
    ['no value', 'a: b\nauthorization:\n', 'line 2, which is not a field, or a field that may not be set'],
    [
      'a control character',
      'a: se\u0001cret\n',
      'line 1, which is not a field, or a field that may not be set',
    ],
    [
      'another field behind a bare CR',
      'a: b\rsecret: c\n',
      'line 1, which is not a field, or a field that may not be set',
    ],
    [
      'a character that no field may have',
      'a: gehéim\n',
      'line 1, which is not a field, or a field that may not be set',
    ],
    ['a folded line', 'a: b\n secret\n', 'line 2, which is not a field, or a field that may not be set'],
    [
      'a framing field',
      'Content-Length: 7\n',
      'line 1, which is not a field, or a field that may not be set',
    ],
    ['the same field twice', 'A: secret\n\na: b\n', 'line 3, which sets a field again'],
  ])('a headersFile with %s, without its content', async (_what, text, found) => {
    await site.write('fields', text);
    const [problem, ...more] = await problemsOf({ endpoint, headersFile: 'fields' });
    expect(problem).toBe(
      `tracing.headersFile: found ${found}; allowed a file with one \`name: value\` on each line, for fields that may be set`,
    );
    expect(more).toEqual([]);
  });

  test('a missing headersFile, without its name', async () => {
    const [problem] = await problemsOf({ endpoint, headersFile: 'Bearer-secret' });
    expect(problem).toMatch(/^tracing\.headersFile: found a file that cannot be read \(ENOENT\);/);
  });
});
