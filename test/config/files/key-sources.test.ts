import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareConfigs } from '../../../src/config/changes.ts';
import { makeKey } from '../../../src/pki/key.ts';
import { selfSigned, setFor } from '../../support/identity/self-signed.ts';
import { authority } from '../../support/pki/authority.ts';
import { createSite, minimal, type Site } from '../site.ts';

const client = selfSigned('client');
const weak = { ...createPublicKey(makeKey('rsa-1024')).export({ format: 'jwk' }), kid: 'weak' };
let site: Site;

beforeAll(async () => {
  site = await createSite();
  await site.write('good.jwks', setFor(client));
  await site.write('odd.jwks', JSON.stringify({ keys: [...JSON.parse(setFor(client)).keys, weak] }));
  const secret = makeKey('P-256').export({ format: 'jwk' });
  await site.write('secret.jwks', JSON.stringify({ keys: [{ ...secret, kid: 'mine' }] }));
  await site.write('page.jwks', '<!doctype html>');
  execFileSync('mkfifo', [join(site.folder, 'pipe.jwks')]);
  await site.write('ca.pem', authority().root.pem);
});
afterAll(() => site[Symbol.asyncDispose]());

const withRegistered = (registered: object) => ({ clients: { ...minimal.clients, registered } });

async function loaded(registered: object) {
  const { loaded, problems } = await site.examine(withRegistered(registered));
  if (loaded === null) throw new Error(JSON.stringify(problems));
  return loaded;
}

describe('a key set of the configuration', () => {
  it('from a file is read and checked; the file is watched', async () => {
    const { keySources, files, warnings } = await loaded({ jwks: { file: 'good.jwks' } });
    const file = join(site.folder, 'good.jwks');
    expect(keySources).toMatchObject([{ kind: 'file', source: file, keys: [{ alg: 'ES256' }], skipped: [] }]);
    expect([...files.keys()]).toContain(file);
    expect(warnings).toEqual([]);
  });

  it('from a URL is fetched later; the file of its CA is read and watched', async () => {
    const uri = 'https://directory.example/clients';
    const { keySources, files } = await loaded({ jwks: { uri, ca: 'ca.pem' }, refresh: '5m' });
    expect(keySources).toEqual([
      {
        kind: 'uri',
        source: uri,
        ca: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
        refresh: 300_000,
        uses: [{ kind: 'clients', compare: 'certificate', isEnforced: true }],
      },
    ]);
    expect([...files.keys()]).toContain(join(site.folder, 'ca.pem'));
  });

  it.each([
    [
      'secret.jwks',
      'secret.jwks: a private or symmetric key, keys[0] (kid mine): remove it and replace the key',
    ],
    ['page.jwks', 'page.jwks: an HTML or XML page'],
    ['none.jwks', 'none.jwks that cannot be read (ENOENT)'],
    ['pipe.jwks', 'pipe.jwks that is no file'],
  ])('is refused in %s, with the reason and without its content', async (file, found) => {
    expect(await site.problems(withRegistered({ jwks: { file } }))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^gateway.yaml:\\d+:\\d+: clients.registered.jwks.file: found ${found.replace(/[()[\]]/g, '\\$&')}; allowed a JSON Web Key Set`,
        ),
      ),
    ]);
  });

  it('with a key that cannot be used is a warning that names the key', async () => {
    const { warnings } = await loaded({ jwks: { file: 'odd.jwks' } });
    expect(warnings).toMatchObject([
      {
        path: 'clients.registered.jwks.file',
        found: expect.stringContaining('keys[1] (kid weak): it is an RSA key of 1024 bits'),
      },
    ]);
  });

  it.each([
    [{}, /jwks: found .*; allowed exactly one of uri and file$/],
    [
      { uri: 'https://a.example/', file: 'good.jwks' },
      /jwks: found .*; allowed exactly one of uri and file$/,
    ],
    [{ file: 'good.jwks', ca: 'ca.pem' }, /jwks\.ca: found .*; allowed ca beside uri$/],
    [{ uri: 'http://a.example/' }, /jwks\.uri: found .*; allowed an https:\/\/ URL/],
    [{ uri: 'https://user:secret@a.example/' }, /jwks\.uri: found .*; allowed an https:\/\/ URL/],
  ])('is refused as %j', async (jwks, problem) => {
    expect(await site.problems(withRegistered({ jwks }))).toEqual([expect.stringMatching(problem)]);
  });

  it('with one URL in two places is one set; two CAs for it are refused', async () => {
    const uri = 'https://directory.example/clients';
    const { keySources } = await loaded({ jwks: { uri }, inactive: { uri } });
    expect(keySources).toHaveLength(1);
    expect(await site.problems(withRegistered({ jwks: { uri }, inactive: { uri, ca: 'ca.pem' } }))).toEqual([
      expect.stringContaining(
        'clients.registered.inactive.uri: found a URL that stands elsewhere with another ca',
      ),
    ]);
  });

  it('whose file has other keys is a change of clients.registered', async () => {
    await site.write('changing.jwks', setFor(client));
    const before = await loaded({ jwks: { file: 'changing.jwks' } });
    expect(compareConfigs(before, await loaded({ jwks: { file: 'changing.jwks' } })).changed).toEqual([]);
    await site.write('changing.jwks', setFor(selfSigned('another')));
    expect(compareConfigs(before, await loaded({ jwks: { file: 'changing.jwks' } })).changed).toEqual([
      'clients.registered',
    ]);
  });
});

describe('a file without a key for its use is a warning that names file, field and what is missing:', () => {
  const jwks = { file: 'use.jwks' };
  const bearer = { issuer: 'https://as.example', audience: 'ehi', algorithms: ['ES256', 'PS256'], jwks };
  const signature = {
    header: 'X-Sig',
    scheme: 'raw',
    algorithm: 'EdDSA',
    timestamp: { header: 'X-T' },
    jwks,
  };
  const key = (kid: string, extra: object = {}) => ({
    ...{ ...createPublicKey(makeKey('P-256')).export({ format: 'jwk' }), kid },
    ...extra,
  });
  const route = (policy: object) => ({
    routes: [{ path: '/', upstream: 'http://127.0.0.1:8080', ...policy }],
  });

  it.each<[string, object[], Record<string, unknown>, string, RegExp]>([
    ['no keys', [], route({ bearer }), 'routes[0].bearer.jwks.file', /ES256 or PS256: the set has no keys$/],
    [
      'encryption keys alone',
      [key('a', { use: 'enc' }), key('b', { key_ops: ['encrypt'] })],
      route({ bearer }),
      'routes[0].bearer.jwks.file',
      /: kid a is not for signatures \(use or key_ops\), kid b is not/,
    ],
    [
      'keys for other algorithms',
      [key('a'), key('b', { alg: 'ES256' })],
      route({ signature }),
      'routes[0].signature.jwks.file',
      /EdDSA: kid a is of type EC P-256, kid b is of type EC P-256 with alg ES256$/,
    ],
    [
      'many of them',
      ['a', 'b', 'c', 'd', 'e'].map((kid) => key(kid)),
      route({ signature }),
      'routes[0].signature.jwks.file',
      /kid c is of type EC P-256, 2 more$/,
    ],
    [
      'no client',
      [],
      withRegistered({ jwks }),
      'clients.registered.jwks.file',
      /no keys: no client is registered$/,
    ],
    [
      'no certificate',
      [key('a')],
      withRegistered({ jwks }),
      'clients.registered.jwks.file',
      /no key with a certificate \(x5c\).*kid a has none$/,
    ],
    [
      'a registration without a certificate',
      [key('a'), ...JSON.parse(setFor(client)).keys],
      withRegistered({ jwks }),
      'clients.registered.jwks.file',
      /1 of 2 keys without a certificate/,
    ],
  ])('%s', async (_, keys, config, path, found) => {
    await site.write('use.jwks', JSON.stringify({ keys }));
    const { problems, warnings } = await site.examine(config);
    expect(problems).toEqual([]);
    const about = warnings.filter((each) => each.path === path);
    expect(about).toMatchObject([{ path, found: expect.stringMatching(found) }]);
    expect(about[0]?.found).toContain(join(site.folder, 'use.jwks: '));
  });

  it.each<[string, object[], Record<string, unknown>]>([
    ['a key for one of the algorithms', [key('a'), key('b', { use: 'enc' })], route({ bearer })],
    ['keys alone, for compare: key', [key('a')], withRegistered({ jwks, compare: 'key' })],
    ['no inactive client', [], withRegistered({ jwks: { file: 'good.jwks' }, inactive: jwks })],
  ])('not with %s', async (_, keys, config) => {
    await site.write('use.jwks', JSON.stringify({ keys }));
    const { problems, warnings } = await site.examine(config);
    expect([
      problems,
      warnings.filter(({ path }) => path.includes('jwks') || path.includes('inactive')),
    ]).toEqual([[], []]);
  });
});
