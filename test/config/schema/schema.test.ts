import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, minimal, type Site } from '../site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const thumbprint = Buffer.alloc(32, 7);

function anchorWith(fields: object) {
  return { trust: { anchors: [{ name: 'a', files: ['a.pem'], ...fields }] } };
}

const problemsOf = (config: string | Record<string, unknown>) => site.problems(config);

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
    ['audit.seal', { audit: { seal: null } }],
    ['audit.seal', { audit: { seal: true } }],
    ['audit.seal.key', { audit: { seal: { key: '' } } }],
    ['audit.seal.copy', { audit: { seal: { copy: '' } } }],
    ['audit.seal.interval', { audit: { seal: { interval: '9ms' } } }],
    ['audit.seal.interval', { audit: { seal: { interval: '61m' } } }],
    ['audit.rotate.size', { audit: { destination: 'a.log', rotate: { size: '63KiB' } } }],
    ['audit.rotate.size', { audit: { destination: 'a.log', rotate: { size: '1025MiB' } } }],
    ['audit.rotate.keep', { audit: { destination: 'a.log', rotate: { keep: 0 } } }],
    ['audit.rotate.every', { audit: { destination: 'a.log', rotate: { every: '1h' } } }],
  ])('refuses at %s: %j', async (path, config) => {
    const { problems, loaded } = await site.examine(config);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(loaded).toBeNull();
  });
});
