import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { examineConfig } from '../../src/config/load.ts';
import { createSite, defaultRevocation, minimal, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const problemsOf = (config: string | Record<string, unknown>) => site.problems(config);

test('reports all problems together, in the order of the file, with line and column', async () => {
  const text = `listen:
  port: 70000
  adress: 127.0.0.1
  certificate: { chain: missing.pem, key: server.key }
trust:
  anchors:
    - name: own
clients: { allowlist: [], match: {} }
routes:
  - upstream: ftp://127.0.0.1
  - { path: /a, upstream: http://127.0.0.1 }
  - { path: /a, upstream: http://127.0.0.1 }
timeouts: { head: 10 }
relays: many
relays: 2
`;
  expect(await problemsOf(text)).toEqual([
    'gateway.yaml:2:9: listen.port: found 70000; allowed a whole number from 0 to 65535',
    'gateway.yaml:3:3: listen.adress: found an unknown key; allowed the keys address, port, certificate (required), rejectWith, advertiseCaNames, resumption, proxyProtocol',
    'gateway.yaml:4:25: listen.certificate.chain: found missing.pem that cannot be read (ENOENT); allowed a file that can be read',
    'gateway.yaml:7:7: trust.anchors[0]: found none of preset, files, urls; allowed exactly one of preset, files, urls',
    'gateway.yaml:8:23: clients.allowlist: found an empty list; allowed a list of ranges, at least one',
    'gateway.yaml:8:34: clients.match: found an empty mapping; allowed at least one field',
    'gateway.yaml:10:5: routes[0].path: found nothing; allowed a path such as / or /ehi/v1: no empty, "." or ".." segment, no "%", no "/" at its end',
    'gateway.yaml:10:15: routes[0].upstream: found "ftp://127.0.0.1"; allowed http://host, http://host:port, the same with https, without path, query and credentials, or unix:/path of a socket (the path at most 103 bytes); a mapping with such a url, or a list of either',
    'gateway.yaml:12:13: routes[2].path: found "/a"; allowed a path that no other route has',
    'gateway.yaml:13:19: timeouts.head: found 10; allowed a whole number and its unit ms, s, m or h, such as 1500ms, from 1ms to 596h',
    'gateway.yaml:15:1: relays: found the key twice; allowed each key once',
  ]);
});

test('points at the parent of a required key that is missing', async () => {
  expect(
    await problemsOf(
      'trust:\n  anchors: []\nlisten:\n  port: 1\nroutes:\nclients: { match: { commonName: a } }\n',
    ),
  ).toEqual([
    'gateway.yaml:2:12: trust.anchors: found an empty list; allowed a list of anchors, at least one',
    'gateway.yaml:3:1: listen.certificate: found nothing; allowed one mapping or a list of certificates',
    'gateway.yaml:5:1: routes: found nothing; allowed a list of routes',
  ]);
});

test.each([
  ['an empty file', ''],
  ['a comment', '# nothing\n'],
  ['a list', '- a\n- b\n'],
  ['a word', 'gateway'],
])('refuses %s with the keys that are allowed', async (_, text) => {
  const [first] = await problemsOf(text);
  expect(first).toMatch(
    /^gateway\.yaml:\d+:1: \(document\): found .+; allowed the keys listen \(required\), /,
  );
});

test('reports UTF-16, and accepts a byte order mark', async () => {
  const text = stringify(minimal);
  await site.write('gateway.yaml', Buffer.from(`\ufeff${text}`, 'utf16le'));
  const { problems } = await examineConfig(site.file);
  expect(problems).toEqual([expect.objectContaining({ found: 'UTF-16 text', line: 1, column: 1 })]);
  await site.write('gateway.yaml', `\ufeff${text}`);
  expect((await examineConfig(site.file)).problems).toEqual([]);
});

test('resolves paths against the folder of the file and writes pins and digests in one notation', async () => {
  const thumbprint = Buffer.alloc(32, 7);
  const hex = thumbprint.toString('hex');
  const anchors = [{ name: 'own', files: ['a'], rootSha256: hex.toUpperCase() }];
  const clients = { pins: [`sha256/${thumbprint.toString('base64')}`] };
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust: { anchors }, clients }));
  const { loaded } = await examineConfig(site.file);
  expect(loaded?.config.trust.anchors[0]).toEqual({
    name: 'own',
    files: [join(site.folder, 'a')],
    rootSha256: hex,
    revocation: defaultRevocation,
  });
  expect(loaded?.config.clients.pins).toEqual([thumbprint.toString('base64')]);
  expect(loaded?.serverCertificates.map(({ keyType }) => keyType)).toEqual(['ECDSA']);
  expect(loaded?.warnings.map(({ found }) => found)).toEqual([
    expect.stringMatching(
      /^no allowlist: any address may connect, and one address may hold limits\.connectionsPerAddress /,
    ),
  ]);
  expect(loaded?.locate({ path: ['trust', 'anchors', 0, 'files', 0], allowed: 'b' })).toMatchObject({
    line: 1,
    found: '"a"',
  });
});

test.each<[string, string | Uint8Array | null]>([
  ['a missing file', null],
  ['bytes that are not UTF-8', Uint8Array.of(0x61, 0xff)],
  ['a YAML error', 'a: ['],
  ['a wrong value', 'listen: 1'],
])('reports a problem of the file, and no configuration, for %s', async (_, content) => {
  if (content !== null) await site.write('wrong.yaml', content);
  const file = join(site.folder, content === null ? 'absent.yaml' : 'wrong.yaml');
  const { loaded, problems } = await examineConfig(file);
  expect(loaded).toBeNull();
  expect(problems[0]).toMatchObject({ file, line: 1 });
});
