import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { examineConfig } from '../../src/config/load.ts';
import { describeProblem } from '../../src/errors.ts';
import { createSite, minimal, type Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const thumbprint = Buffer.alloc(32, 7);

function anchorWith(fields: object) {
  return { trust: { anchors: [{ name: 'a', files: ['a.pem'], ...fields }] } };
}

/** The problems as lines, without the folder. */
async function problemsOf(config: string | Record<string, unknown>): Promise<string[]> {
  const { problems } = await site.examine(config);
  return problems.map((problem) => describeProblem(problem).replaceAll(`${site.folder}/`, ''));
}

const revocation = {
  crl: 'auto',
  ocsp: 'auto',
  scope: 'chain',
  onUnknown: 'deny',
  grace: 86_400_000,
  firstContact: 1000,
  refresh: 3_600_000,
};

test('adds every default, in milliseconds, bytes and absolute paths', async () => {
  const { loaded, problems, warnings } = await site.examine({});
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(loaded?.config).toEqual({
    listen: {
      address: '0.0.0.0',
      port: 8443,
      certificate: [{ chain: join(site.folder, 'server.pem'), key: join(site.folder, 'server.key') }],
      rejectWith: 'http',
      advertiseCaNames: true,
      resumption: { rotate: 43_200_000 },
      proxyProtocol: { trusted: [] },
    },
    trust: {
      anchors: [{ name: 'own', files: [join(site.folder, 'anchor.pem')], revocation }],
      requirePin: false,
      refresh: 21_600_000,
      cacheDir: join(site.folder, 'var/trust'),
    },
    clients: {
      allowlist: ['203.0.113.7/32'],
      refuseAt: 'accept',
      match: [{ organizationalUnit: 'caller' }],
      anyCertificateOfAnchor: false,
    },
    routes: [
      {
        path: '/',
        upstream: [
          {
            url: {
              url: 'http://127.0.0.1:8080',
              secure: false,
              target: { host: '127.0.0.1', port: 8080 },
              authority: '127.0.0.1:8080',
            },
            pool: { idle: 256, idleTimeout: 4_000, reuse: 'on' },
          },
        ],
        deadline: 2_000,
        budget: 200,
        contentLength: 'ensure',
        inFlight: 1024,
      },
    ],
    identity: { headers: ['rfc9440'], chain: false, remove: [] },
    limits: {
      head: 16_384,
      fields: 100,
      body: 1_048_576,
      connections: 10_000,
      unfinishedHandshakes: 512,
      handshakeBytes: 16_384,
      certificateBytes: 8192,
      handshakeRate: 1000,
      delay: 250,
      smallRecords: 2000,
      inFlightPerClient: 512,
    },
    timeouts: {
      handshake: 10_000,
      head: 10_000,
      bodyIdle: 10_000,
      keepAlive: 75_000,
      connectFirst: 50,
      connect: 1_000,
      drainDelay: 0,
      drain: 30_000,
    },
    relays: 1,
    admin: { address: '127.0.0.1', port: 9090 },
    audit: { destination: 'stdout', onFailure: 'continue' },
    tracing: null,
  });
});

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

test.each<[string, Record<string, unknown> | string, string]>([
  [
    'a fraction of a second',
    { timeouts: { head: '1.5s' } },
    'timeouts.head: found "1.5s"; allowed a whole number and its unit ms, s, m or h, such as 1500ms, from 1ms to 596h',
  ],
  [
    'a size without its unit',
    { limits: { head: 16384 } },
    'limits.head: found 16384; allowed a whole number and its unit B, KiB or MiB, such as 16KiB, from 1B to 1MiB',
  ],
  [
    'a number instead of a text, as it is written in the file',
    JSON.stringify({ ...minimal, clients: { match: { organizationalUnit: 7 } } }).replace(':7', ': 007'),
    'clients.match.organizationalUnit: found 007; allowed a value of the subject’s OU, as a text in quotes',
  ],
  [
    'a number in quotes',
    { admin: { port: '9090' } },
    'admin.port: found "9090"; allowed a whole number from 0 to 65535, without quotes',
  ],
  [
    'a flag in quotes',
    { clients: { ...minimal.clients, anyCertificateOfAnchor: 'true' } },
    'clients.anyCertificateOfAnchor: found "true"; allowed true or false, without quotes',
  ],
  [
    'a merge key',
    `${JSON.stringify({ ...minimal, timeouts: { head: '1s' } })
      .replace('"timeouts":', '"timeouts": &t ')
      .slice(0, -1)}, "limits": { <<: *t } }`,
    'limits."<<": found a merge key (<<), which YAML 1.2 does not have; allowed the keys written out, or an alias in the place of a whole value: head: *name',
  ],
])('reports the correct notation: %s', async (_, config, problem) => {
  const found = await problemsOf(config);
  expect(found.map((line) => line.replace(/^gateway\.yaml:\d+:\d+: /, ''))).toEqual([problem]);
});

test('reports UTF-16, and accepts a byte order mark', async () => {
  const text = stringify(minimal);
  await site.write('gateway.yaml', Buffer.from(`\ufeff${text}`, 'utf16le'));
  const { problems } = await examineConfig(site.file);
  expect(problems).toEqual([expect.objectContaining({ found: 'UTF-16 text', line: 1, column: 1 })]);
  await site.write('gateway.yaml', `\ufeff${text}`);
  expect((await examineConfig(site.file)).problems).toEqual([]);
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

describe('never repeats a secret', () => {
  test.each([
    [
      'a passphrase instead of its file',
      { listen: { certificate: { ...minimal.listen.certificate, passphraseFile: 'hunter2' } } },
    ],
    [
      'the same with a line break',
      { listen: { certificate: { ...minimal.listen.certificate, passphraseFile: 'hunter2\n' } } },
    ],
    [
      'the same as a list',
      { listen: { certificate: [{ ...minimal.listen.certificate, passphraseFile: ['hunter2'] }] } },
    ],
    [
      'a secret instead of its file',
      { listen: { ...minimal.listen, resumption: { secretFile: 'hunter2' } } },
    ],
    [
      'the same with a line break',
      { listen: { ...minimal.listen, resumption: { secretFile: 'hunter2\n' } } },
    ],
    ['credentials in a CRL’s URL', anchorWith({ revocation: { crl: ['http://user:hunter2@host/'] } })],
    ['credentials in a responder’s URL', anchorWith({ revocation: { ocsp: 'http://user:hunter2@host/' } })],
    ['credentials in an upstream', { routes: [{ path: '/', upstream: 'http://user:hunter2@host' }] }],
    [
      'credentials in an anchor',
      { trust: { anchors: [{ name: 'a', urls: ['https://user:hunter2@host/'] }] } },
    ],
    ['a key under an unknown name', { password: 'hunter2' }],
    [
      'a PEM text',
      {
        listen: {
          certificate: { chain: 'server.pem', key: ['-----BEGIN', 'PRIVATE KEY-----\nhunter2\n'].join(' ') },
        },
      },
    ],
  ])('%s', async (_, config) => {
    const problems = await problemsOf(config);
    expect(problems).not.toEqual([]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('a line with a YAML error', async () => {
    const problems = await problemsOf('a: "x" hunter2\nb: [}hunter2\n"hunter2\n');
    expect(problems.join()).not.toContain('hunter2');
  });
});

describe('values', () => {
  const route = (path: string) => ({ routes: [{ path, upstream: 'http://h' }] });
  const upstream = (url: unknown) => ({ routes: [{ path: '/', upstream: url }] });
  const clients = (fields: object) => ({ clients: { ...minimal.clients, ...fields } });
  const revocation = (fields: unknown) => anchorWith({ revocation: fields });
  const resumption = (fields: unknown) => ({ listen: { ...minimal.listen, resumption: fields } });
  const candidates = (value: unknown) => ({ trust: { ...minimal.trust, candidates: value } });
  const pin = `sha256/${thumbprint.toString('base64')}`;
  const colons = thumbprint.toString('hex').replace(/..(?=.)/g, '$&:');

  test.each<[string, Record<string, unknown>]>([
    ['a path with segments', route('/a/b-c/~d')],
    ['an upstream without a port', upstream('http://ehi.internal')],
    ['an IPv6 upstream', upstream('http://[::1]:8080')],
    ['an underscore in a host', upstream('http://my_host:1')],
    ['a bare IPv6 address', clients({ allowlist: ['2001:db8::1'] })],
    ['a pin', clients({ pins: [pin] })],
    ['a list of matches', clients({ match: [{ san: 'URI:urn:a' }, { thumbprint: colons }] })],
    ['a thumbprint in base64url', clients({ match: { thumbprint: thumbprint.toString('base64url') } })],
    ['an address as a SAN', clients({ match: { san: 'IP:2001:db8::1' } })],
    ['a root’s digest with colons', anchorWith({ rootSha256: colons.toUpperCase() })],
    ['resumption: off', resumption('off')],
    ['a rotation', resumption({ rotate: '1s' })],
    ['CRLs from URLs and files', revocation({ crl: ['http://h/a.crl', 'https://h/b?c', './http:d', '/e'] })],
    ['a responder over HTTP', revocation({ ocsp: 'http://ocsp.example:8080/' })],
    ['a grace and a firstContact of 0', revocation({ grace: '0s', firstContact: '0ms' })],
    ['a firstContact of five seconds', revocation({ firstContact: '5000ms' })],
    ['a candidate', candidates([{ name: 'b', files: ['b.pem'] }])],
    ['a shadow of one control', clients({ shadow: { match: { issuer: 'CN=a' } } })],
    [
      'a shadow of all controls',
      clients({ shadow: { allowlist: ['::/0'], pins: [pin], match: [{ san: 'DNS:a' }] } }),
    ],
    ['relays: auto', { relays: 'auto' }],
    ['a file for the audit', { audit: { destination: 'audit.log' } }],
    ['a drain of 0', { timeouts: { drain: '0s' } }],
    ['trusted load balancers', { listen: { ...minimal.listen, proxyProtocol: { trusted: ['10.0.0.0/8'] } } }],
  ])('accepts %s', async (_, config) => {
    expect(await problemsOf(config)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>]>([
    ...['', 'a', '//', '/a/', '/a//b', '/./a', '/a/..', '/a%20b', '/a?b', '/a b', '/a#b', '/a\\b', '/ä'].map(
      (path) => [`routes[0].path`, route(path)] as [string, Record<string, unknown>],
    ),
    ...[
      'http://',
      'HTTP://h',
      'http://h/',
      'http://h?x',
      'http://h#x',
      'http://u@h',
      'http://h:0',
      'http://h:65536',
      'http://h:08',
      'http://127.1',
      'http://010.0.0.1',
      'http://0x7f000001',
      'http://2130706433',
      'http://1.2.3.256',
      'http://[::g]',
      'http://[127.0.0.1]',
      'http://::1',
      'http://-h',
      'http://a..b',
      'h:8080',
      8080,
      null,
    ].map((url) => ['routes[0].upstream', upstream(url)] as [string, Record<string, unknown>]),
    ['routes[0].deadline', { routes: [{ path: '/', upstream: 'http://h', deadline: '0s' }] }],
    ['routes[0].firstByte', { routes: [{ path: '/', upstream: 'http://h', firstByte: '3s' }] }],
    ['routes[0].idle', { routes: [{ path: '/', upstream: 'http://h', deadline: '1s', idle: '1001ms' }] }],
    ['routes[0].contentLength', { routes: [{ path: '/', upstream: 'http://h', contentLength: 'no' }] }],
    ['clients.allowlist[0]', clients({ allowlist: ['10.0.0.1/8'] })],
    ['clients.allowlist[1]', clients({ allowlist: ['10.0.0.1', '010.0.0.1'] })],
    ['clients.allowlist[0]', clients({ allowlist: [''] })],
    ['clients.allowlist', clients({ allowlist: null })],
    ['clients.allowlist', clients({ allowlist: '10.0.0.1' })],
    ['clients.pins', clients({ pins: [] })],
    ['clients.pins[0]', clients({ pins: [pin.slice(7)] })],
    ['clients.pins[0]', clients({ pins: [`sha256/${'A'.repeat(42)}B=`] })],
    ['clients.pins[0]', clients({ pins: [pin.replace('=', '')] })],
    ['clients.match', clients({ match: [] })],
    ['clients.match', clients({ match: 'CN=a' })],
    ['clients.match[1]', clients({ match: [{ commonName: 'a' }, {}] })],
    ['clients.match.commonName', clients({ match: { commonName: ' ' } })],
    ['clients.match.commonName', clients({ match: { commonName: 1 } })],
    ['clients.match.subject', clients({ match: { subject: 'a' } })],
    ['clients.match.san', clients({ match: { san: 'dns:a' } })],
    ['clients.match.san', clients({ match: { san: 'IP:010.0.0.1' } })],
    ['clients.match.san', clients({ match: { san: 'DNS:' } })],
    ['clients.match.thumbprint', clients({ match: { thumbprint: 'ab'.repeat(31) } })],
    ['clients.match.thumbprint', clients({ match: { thumbprint: `${'A'.repeat(42)}B` } })],
    ['trust.anchors[0].rootSha256', anchorWith({ rootSha256: 'ab'.repeat(20) })],
    ['trust.anchors[0].rootSha256', anchorWith({ rootSha256: `${'ab:'.repeat(32)}` })],
    ['trust.anchors[0].name', anchorWith({ name: '../a' })],
    ['trust.anchors[0].files', anchorWith({ files: [] })],
    ['trust.anchors[0].urls[0]', { trust: { anchors: [{ name: 'a', urls: ['http://h/a.pem'] }] } }],
    ['trust.anchors[0].preset', { trust: { anchors: [{ name: 'a', preset: 'uat' }] } }],
    ['trust.cacheDir', { trust: { ...minimal.trust, cacheDir: '' } }],
    ['listen.address', { listen: { ...minimal.listen, address: 'localhost' } }],
    ['listen.rejectWith', { listen: { ...minimal.listen, rejectWith: 'alert' } }],
    ['listen.certificate', { listen: { certificate: [] } }],
    ['listen.certificate[0].key', { listen: { certificate: [{ chain: 'server.pem' }] } }],
    ['listen.certificate.chain', { listen: { certificate: { chain: 'a\0b', key: 'server.key' } } }],
    ...[true, 'on', [], null, 12].map(
      (value) => ['listen.resumption', resumption(value)] as [string, Record<string, unknown>],
    ),
    ['listen.resumption.rotate', resumption({ rotate: '999ms' })],
    ['listen.resumption.rotate', resumption({ rotate: 'off' })],
    ['listen.resumption.secret', resumption({ secret: 'a' })],
    ['trust.candidates', candidates([])],
    ['trust.candidates[0].name', candidates([{ files: ['b.pem'] }])],
    ['trust.anchors[0].revocation', revocation('off')],
    ['trust.anchors[0].revocation.delta', revocation({ delta: 'off' })],
    ...['on', '', 'http://h/a.crl', [], {}, null, false].map(
      (crl) => ['trust.anchors[0].revocation.crl', revocation({ crl })] as [string, Record<string, unknown>],
    ),
    ['trust.anchors[0].revocation.crl', revocation({ crl: Array(17).fill('/a.crl') })],
    ...[
      '',
      ' ',
      'ftp://h/',
      'ldap://h/',
      'HTTP://h/',
      'http:/h',
      'http:h',
      'http://',
      'http://u@h/',
      'http://h/#',
      1,
    ].map(
      (source) =>
        ['trust.anchors[0].revocation.crl[1]', revocation({ crl: ['a.crl', source] })] as [
          string,
          Record<string, unknown>,
        ],
    ),
    ...[
      'on',
      'ocsp.example',
      '/a',
      'ldap://h/',
      'http://u:p@h/',
      'http://h/#a',
      'http://h/a b',
      ['http://h/'],
    ].map(
      (ocsp) =>
        ['trust.anchors[0].revocation.ocsp', revocation({ ocsp })] as [string, Record<string, unknown>],
    ),
    ['trust.anchors[0].revocation.scope', revocation({ scope: 'root' })],
    ['trust.anchors[0].revocation.onUnknown', revocation({ onUnknown: 'warn' })],
    ['trust.anchors[0].revocation.firstContact', revocation({ firstContact: '5001ms' })],
    ['trust.anchors[0].revocation.refresh', revocation({ refresh: '0s' })],
    ['clients.shadow', clients({ shadow: {} })],
    ['clients.shadow', clients({ shadow: null })],
    ['clients.shadow.refuseAt', clients({ shadow: { refuseAt: 'http' } })],
    ['clients.shadow.match', clients({ shadow: { match: {} } })],
    ['limits.head', { limits: { head: '2MiB' } }],
    ['limits.fields', { limits: { fields: 0 } }],
    ['limits', { limits: null }],
    ['relays', { relays: 0 }],
    ['relays', { relays: '2' }],
    ['admin.port', { admin: { port: '9090' } }],
    ['audit.destination', { audit: { destination: '' } }],
    ['audit.onFailure', { audit: { onFailure: 'stop' } }],
  ])('refuses at %s: %j', async (path, config) => {
    const { problems, loaded } = await site.examine(config);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(loaded).toBeNull();
  });
});

test('resolves paths against the folder of the file and writes pins and digests in one notation', async () => {
  const hex = thumbprint.toString('hex');
  const anchors = [{ name: 'own', files: ['a'], rootSha256: hex.toUpperCase() }];
  const clients = { pins: [`sha256/${thumbprint.toString('base64')}`] };
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust: { anchors }, clients }));
  const { loaded } = await examineConfig(site.file);
  expect(loaded?.config.trust.anchors[0]).toEqual({
    name: 'own',
    files: [join(site.folder, 'a')],
    rootSha256: hex,
    revocation,
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
