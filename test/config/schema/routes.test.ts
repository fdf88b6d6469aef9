/** Upstreams in a configuration: every notation, the files that they name, and their part of the snapshot. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeProblem } from '../../../src/errors.ts';
import type { RoutePolicy } from '../../../src/policy/snapshot.ts';
import { authority } from '../../support/pki/authority.ts';
import { createSite, type Site } from '../site.ts';

let site: Site;
const pki = authority();
const client = pki.issueClient();
const pin = `sha256/${'A'.repeat(43)}=`;

beforeAll(async () => {
  site = await createSite();
  await site.write('ca.pem', pki.anchorPem);
  await site.write('client.pem', client.chainPem);
  await site.write('client.key', client.keyPem);
  const expired = pki.issueClient({ notAfter: Date.now() - 1000, notBefore: Date.now() - 2000 });
  await site.write('expired.pem', expired.chainPem);
  await site.write('expired.key', expired.keyPem);
  const weak = pki.issueClient({ key: 'rsa-1024' });
  await site.write('weak.pem', weak.chainPem);
  await site.write('weak.key', weak.keyPem);
});

afterAll(() => site[Symbol.asyncDispose]());

const withUpstream = (upstream: unknown) => site.examine({ routes: [{ path: '/', upstream }] });

async function endpointsOf(upstream: unknown): Promise<RoutePolicy['endpoints']> {
  const { loaded, problems } = await withUpstream(upstream);
  expect(problems.map(describeProblem)).toEqual([]);
  return loaded?.routes[0]?.endpoints ?? [];
}

const plain = { tls: null, proxyProtocol: null, pool: { idle: 256, idleTimeout: 4000 }, health: null };

describe('an endpoint', () => {
  test.each([
    ['http://host', { target: { host: 'host', port: 80 }, authority: 'host' }],
    ['http://[::1]:8080', { target: { host: '::1', port: 8080 }, authority: '[::1]:8080' }],
    ['unix:/run/host.sock', { target: { path: '/run/host.sock' }, authority: 'localhost' }],
  ])('may be a URL alone: %s', async (url, expected) => {
    expect(await endpointsOf(url)).toEqual([{ url, ...plain, ...expected }]);
    expect(await endpointsOf({ url })).toEqual([{ url, ...plain, ...expected }]);
  });

  test.each([
    ['https://host.example', 443, 'host.example'],
    ['https://host.example.:8443', 8443, 'host.example'],
    ['https://192.0.2.1', 443, null],
    ['https://[2001:db8::1]', 443, null],
  ])('is verified by its name or address: %s', async (url, port, serverName) => {
    const [endpoint] = await endpointsOf(url);
    expect(endpoint).toMatchObject({ target: { port } });
    expect(endpoint?.tls).toEqual({ ca: null, certificate: null, serverName, pins: null });
  });

  test('may have every field, and its files are loaded with their content', async () => {
    const [endpoint] = await endpointsOf({
      url: 'https://192.0.2.1',
      tls: {
        ca: 'ca.pem',
        certificate: { chain: 'client.pem', key: 'client.key' },
        serverName: 'host.example',
        pins: [pin],
      },
      proxyProtocol: 'v2',
      pool: { idle: 3, idleTimeout: '1m' },
      health: { kind: 'http' },
    });
    expect(endpoint).toEqual({
      url: 'https://192.0.2.1',
      target: { host: '192.0.2.1', port: 443 },
      authority: '192.0.2.1',
      tls: {
        ca: [pki.root.pem, pki.issuing.pem],
        certificate: { chain: client.chainPem, key: client.keyPem },
        serverName: 'host.example',
        pins: [pin.slice('sha256/'.length)],
      },
      proxyProtocol: 'v2',
      pool: { idle: 3, idleTimeout: 60_000 },
      health: { kind: 'http', path: '/', interval: 5000, timeout: 1000 },
    });
    expect(structuredClone(endpoint)).toEqual(endpoint);
  });

  test('keeps no idle connection if reuse is off', async () => {
    const [endpoint] = await endpointsOf({ url: 'http://h', pool: { idle: 9, reuse: 'off' } });
    expect(endpoint?.pool.idle).toBe(0);
  });
});

test('keeps the order of endpoints in both notations', async () => {
  const endpoints = await endpointsOf(['http://a', { url: 'https://b' }, 'unix:/c']);
  expect(endpoints.map(({ url }) => url)).toEqual(['http://a', 'https://b', 'unix:/c']);
});

test('accepts endpoints that differ in scheme, port, name or socket', async () => {
  const urls = ['http://a', 'https://a', 'http://a:443', 'http://a.', 'unix:/a', 'unix:/A'];
  expect((await endpointsOf(urls)).map(({ url }) => url)).toEqual(urls);
  const longest = `unix:/${'a'.repeat(102)}`;
  expect((await endpointsOf(longest)).map(({ url }) => url)).toEqual([longest]);
});

test('only warns of an expired client certificate for an endpoint, because the other endpoints work', async () => {
  const tls = { certificate: { chain: 'expired.pem', key: 'expired.key' } };
  const { problems, warnings } = await withUpstream({ url: 'https://h', tls });
  expect(problems).toEqual([]);
  expect(warnings).toMatchObject([
    { path: 'routes[0].upstream.tls.certificate.chain', found: expect.stringContaining('expired on') },
  ]);
});

describe('reports a problem at the path of its field:', () => {
  const at = (field: string) => `routes[0].upstream${field}`;
  const secure = (tls: object) => ({ url: 'https://h', tls });
  const certificate = (chain: string, key: string) => secure({ certificate: { chain, key } });

  test.each<[string, unknown, string]>([
    [at(''), 'ftp://h', 'allowed http://host, http://host:port'],
    [at(''), 'unix:relative', 'unix:/path'],
    [at(''), `unix:/${'a'.repeat(103)}`, 'unix:/path of a socket (the path at most 103 bytes)'],
    [at(''), 'https://user:secret@h', 'without path, query and credentials'],
    [at(''), [], 'at least one endpoint'],
    [at(''), Array.from({ length: 9 }, (_, index) => `http://h${index}`), 'at most eight endpoints'],
    [at('[1]'), ['http://a', 'b'], 'allowed http://host'],
    ...[
      ['http://a', 'http://a'],
      ['http://a', 'http://a:80'],
      ['https://a:443', 'https://A'],
      ['http://[::1]', 'http://[0:0::1]:80'],
      ['http://192.0.2.1', 'http://[::ffff:c000:201]'],
      ['unix:/a', 'unix:/a'],
    ].map(([one, other]): [string, unknown, string] => [
      at('[1]'),
      [one, { url: other }],
      'a url that no other endpoint of the route has',
    ]),
    [at('[1].url'), ['http://a', { url: 'b' }], 'allowed http://host'],
    [at('[1].pool.idle'), ['http://a', { url: 'http://b', pool: { idle: -1 } }], 'a whole number'],
    [at('.tls'), { url: 'http://h', tls: {} }, 'tls beside an https url'],
    [at('.tls'), { url: 'unix:/h', tls: {} }, 'tls beside an https url'],
    [at('.tls.serverName'), secure({ serverName: '192.0.2.1' }), 'a host name, no address'],
    [at('.tls.pins[0]'), secure({ pins: ['sha256/x'] }), 'sha256/ and the Base64'],
    [at('.tls.ca'), secure({ ca: 'none.pem' }), 'none.pem that cannot be read (ENOENT)'],
    [at('.tls.ca'), secure({ ca: 'client.key' }), 'PEM block 1 (line 1) is a private key'],
    [at('.tls.certificate.key'), certificate('client.pem', 'server.key'), 'a key of another certificate'],
    [at('.tls.certificate.chain'), certificate('weak.pem', 'weak.key'), 'ERR_SSL_EE_KEY_TOO_SMALL'],
    [at('.tls.certificate.key'), secure({ certificate: { chain: 'client.pem' } }), 'found nothing'],
    [at('.health.kind'), { url: 'http://h', health: { kind: 'tls' } }, 'tls only with an https url'],
    [at('.health.kind'), { url: 'http://h', health: { kind: 'ping' } }, 'tcp or tls or http'],
    [at('.health.path'), { url: 'http://h', health: { kind: 'tcp', path: '/' } }, 'path only with kind'],
    [at('.health.path'), { url: 'http://h', health: { kind: 'http', path: '/a b' } }, 'a path such as'],
    [at('.health.interval'), { url: 'http://h', health: { kind: 'tcp', interval: '99ms' } }, 'from 100ms to'],
    [at('.pool.reuse'), { url: 'http://h', pool: { reuse: false } }, 'on or off'],
    [at('.proxyProtocol'), { url: 'http://h', proxyProtocol: 'v1' }, 'allowed v2'],
    [at('.retry'), { url: 'http://h', retry: 1 }, 'an unknown key'],
  ])('%s', async (path, upstream, says) => {
    const { problems, loaded } = await withUpstream(upstream);
    expect(loaded).toBe(null);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems.map(describeProblem).join()).toContain(says);
    expect(problems.map(describeProblem).join()).not.toContain('secret');
  });
});

test('checks the files of upstreams and the rules between fields though another route is not valid', async () => {
  const upstream = (ca: string) => ({ url: 'https://h', tls: { ca } });
  const { problems, files } = await site.examine({
    routes: [
      { path: '/', upstream: 'ftp://h' },
      { path: '/a', upstream: upstream('none.pem'), firstByte: '3s', idle: '3s', deadlin: '4s' },
      { path: '/b', upstream: upstream('nor-this.pem') },
    ],
  });
  expect(problems.map(({ path }) => path)).toEqual([
    'routes[0].upstream',
    'routes[1].upstream.tls.ca',
    'routes[1].firstByte',
    'routes[1].idle',
    'routes[1].deadlin',
    'routes[2].upstream.tls.ca',
  ]);
  expect([...files.keys()]).toEqual(
    expect.arrayContaining([join(site.folder, 'none.pem'), join(site.folder, 'nor-this.pem')]),
  );
});

test('warns of a CA that expires within 30 days, with the date', async () => {
  const soon = authority({ root: { notAfter: Date.now() + 29 * 24 * 3_600_000 } });
  await site.write('soon.pem', soon.anchorPem);
  const { warnings, problems } = await withUpstream({ url: 'https://h', tls: { ca: 'soon.pem' } });
  expect(problems).toEqual([]);
  expect(warnings.map(describeProblem).join()).toMatch(
    /upstream\.tls\.ca: found CN=Example Root CA.*, which expires on 20\d\d-.*Z; allowed more than 30 days left$/,
  );
});

test('warns of an expired CA', async () => {
  const old = authority({ now: Date.now() - 4000 * 24 * 3_600_000 });
  await site.write('old.pem', old.root.pem);
  const { warnings, problems } = await withUpstream({ url: 'https://h', tls: { ca: 'old.pem' } });
  expect(problems).toEqual([]);
  expect(warnings.map(describeProblem).join()).toMatch(
    /upstream\.tls\.ca: found CN=Example Root CA.*has expired/,
  );
});
