/** `routes[].bearer`: what it may hold, the files that it names, and what it contradicts. */
import { randomUUID } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareConfigs } from '../../src/config/changes.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { makeKey } from '../../src/pki/key.ts';
import { keySetOf, publicJwk } from '../support/jose/signed-token.ts';
import { authority } from '../support/pki/authority.ts';
import { createSite, type Site } from './site.ts';

let site: Site;
const pem = (kind: 'P-256' | 'rsa-2048' | 'rsa-1024' | 'ed25519') =>
  makeKey(kind).export({ type: 'pkcs8', format: 'pem' });

beforeAll(async () => {
  site = await createSite();
  const leaf = authority().issueClient();
  await site.write('client.pem', leaf.chainPem);
  await site.write('client.key', leaf.keyPem);
  await site.write('as.pem', authority().root.pem);
  await site.write('keys.json', keySetOf(publicJwk(makeKey('P-256'), { kid: 'a' })));
  await site.write('secret', 'the secret\n');
  await site.write('ec.key', pem('P-256'));
  await site.write('rsa.key', pem('rsa-2048'));
  await site.write('weak.key', pem('rsa-1024'));
  await site.write('ed.key', pem('ed25519'));
  await site.write('empty', '\n');
  await site.write('lines', 'a\nb\n');
});
afterAll(() => site[Symbol.asyncDispose]());

const bySecret = { kind: 'client_secret_basic', clientId: 'gateway', secretFile: 'secret' };
const byKey = { kind: 'private_key_jwt', clientId: 'gateway', keyFile: 'ec.key', algorithm: 'ES256' };
const byCertificate = {
  kind: 'tls_client_auth',
  clientId: 'gateway',
  chain: 'client.pem',
  key: 'client.key',
};
const endpoint = 'https://as.example.com/introspect';
const plain = { issuer: 'https://as.example.com', audience: 'gateway', jwks: { file: 'keys.json' } };

function routesWith(bearer: object) {
  return { routes: [{ path: '/', upstream: 'http://127.0.0.1:8080', bearer }] };
}

const asking = (auth: object, others: object = {}) =>
  routesWith({ ...plain, introspection: { endpoint, auth, ...others } });

async function load(config: Record<string, unknown>): Promise<LoadedConfig> {
  const { loaded, problems } = await site.examine(config);
  if (loaded === null) throw new Error(JSON.stringify(problems));
  return loaded;
}

/** Each as `path: found`, without the folder and the start of the path. */
async function warnings(config: Record<string, unknown>): Promise<string[]> {
  const { warnings: found } = await site.examine(config);
  return found.map((each) => `${each.path.replace('routes[0].bearer.', '')}: ${each.found}`);
}

it('has the strict value for each field that is absent', async () => {
  const { routes, introspections } = await load(routesWith(plain));
  expect(routes[0]?.bearer).toEqual({
    ...{ mode: 'enforce', issuer: 'https://as.example.com', audience: ['gateway'], scopes: [] },
    ...{ algorithms: ['PS256', 'ES256', 'EdDSA', 'RS256'], types: ['at+jwt'], clockSkew: 30_000 },
    ...{ requireBinding: true, pass: 'forward', keys: join(site.folder, 'keys.json'), introspection: null },
  });
  expect(introspections).toEqual([]);
  expect(await warnings(routesWith(plain))).toEqual([]);
});

it('gives the snapshot no credential, and the control thread each of them', async () => {
  const { routes, introspections } = await load(asking(bySecret, { ca: 'as.pem' }));
  expect(routes[0]?.bearer?.introspection).toEqual({ id: '/', endpoint, cache: 30_000, timeout: 100 });
  expect(JSON.stringify(routes)).not.toContain('secret');
  expect(introspections).toMatchObject([
    { id: '/', endpoint, auth: { kind: 'client_secret_basic', clientId: 'gateway', secret: 'the secret' } },
  ]);
  expect(introspections[0]?.ca).toHaveLength(1);
});

it('reads the key of assertions, which are for the issuer', async () => {
  const { introspections } = await load(asking({ ...byKey, kid: 'k' }));
  expect(introspections[0]?.auth).toMatchObject({
    ...{ kind: 'private_key_jwt', kid: 'k', algorithm: 'ES256', audience: 'https://as.example.com' },
    key: { asymmetricKeyType: 'ec' },
  });
});

it('reads the client certificate', async () => {
  const { introspections } = await load(asking(byCertificate));
  expect(introspections[0]?.auth).toMatchObject({
    kind: 'tls_client_auth',
    certificate: { chain: expect.stringContaining('BEGIN CERTIFICATE') },
  });
});

it('names each of its files, so that a change of one is seen', async () => {
  for (const [auth, names] of [
    [bySecret, ['secret']],
    [byKey, ['ec.key']],
    [byCertificate, ['client.pem', 'client.key']],
  ] as const) {
    const { files } = await site.examine(asking(auth, { ca: 'as.pem' }));
    for (const name of [...names, 'as.pem', 'keys.json'])
      expect([...files.keys()]).toContain(join(site.folder, name));
  }
});

describe('a reload', () => {
  it('with another secret, key or CA in the same file is a change of routes', async () => {
    for (const [auth, name, content] of [
      [{ ...bySecret, secretFile: 'changed' }, 'changed', randomUUID],
      [{ ...byKey, keyFile: 'changed.key' }, 'changed.key', () => pem('P-256')],
    ] as const) {
      await site.write(name, content());
      const before = await load(asking(auth));
      expect(compareConfigs(before, await load(asking(auth))).changed).toEqual([]);
      await site.write(name, content());
      expect(compareConfigs(before, await load(asking(auth))).changed).toEqual(['routes']);
    }
  });
});

describe('is refused', () => {
  it.each<[string, object, string]>([
    ['neither jwks nor introspection', { jwks: undefined }, 'at least one of jwks and introspection'],
    ['no issuer', { issuer: undefined }, 'issuer'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an issuer with white space', { issuer: 'a b' }, 'issuer'],
    ['an empty list of audiences', { audience: [] }, 'audience'],
    ['a scope with a quotation mark', { scopes: ['a"b'] }, 'scopes'],
    ['a scope with a space', { scopes: ['a b'] }, 'scopes'],
    ['the algorithm none', { algorithms: ['none'] }, 'algorithms'],
    ['an HMAC algorithm', { algorithms: ['HS256'] }, 'algorithms'],
    ['no algorithm', { algorithms: [] }, 'algorithms'],
    ['another type', { types: ['secevent+jwt'] }, 'types'],
    ['a clock skew of an hour', { clockSkew: '1h' }, 'clockSkew'],
    ['a set from a URL and from a file', { jwks: { uri: 'https://a/b', file: 'keys.json' } }, 'jwks'],
    ['a set over http', { jwks: { uri: 'http://a/b' } }, 'jwks'],
    ['an unknown key', { dpop: true }, 'dpop'],
  ])('%s', async (_, changes, named) => {
    const bearer = Object.entries({ ...plain, ...changes }).filter(([, value]) => value !== undefined);
    const problems = await site.problems(routesWith(Object.fromEntries(bearer)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('routes[0].bearer');
    expect(problems[0]).toContain(named);
  });

  it.each<[string, object, string, object?]>([
    ['an endpoint over http', bySecret, 'introspection.endpoint', { endpoint: 'http://as.example.com/' }],
    ['a secret that is missing', { ...bySecret, secretFile: 'missing' }, '(ENOENT)'],
    ['an empty secret', { ...bySecret, secretFile: 'empty' }, 'an empty file'],
    ['a secret of two lines', { ...bySecret, secretFile: 'lines' }, 'several lines'],
    ['no secret', { kind: 'client_secret_basic', clientId: 'a' }, 'secretFile beside kind'],
    ['a secret beside a key', { ...byKey, secretFile: 'secret' }, 'nothing beside kind: private_key_jwt'],
    ['no algorithm for a key', { ...byKey, algorithm: undefined }, 'algorithm beside kind'],
    ['a key for another algorithm', { ...byKey, algorithm: 'PS256' }, 'whose key PS256 does not take'],
    ['a key on another curve', { ...byKey, algorithm: 'ES384' }, 'whose key ES384 does not take'],
    ['an RSA key of 1024 bits', { ...byKey, keyFile: 'weak.key', algorithm: 'PS256' }, 'does not take'],
    ['a certificate as a key', { ...byKey, keyFile: 'client.pem' }, 'no private key that can be read'],
    ['a key of another certificate', { ...byCertificate, key: 'ec.key' }, 'a key of another certificate'],
    ['another kind', { kind: 'client_secret_post', clientId: 'a' }, 'auth.kind'],
  ])('introspection with %s', async (_, auth, named, others = {}) => {
    const written = Object.fromEntries(Object.entries(auth).filter(([, value]) => value !== undefined));
    const problems = await site.problems(asking(written, others));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(named);
  });

  it('a secret written where its file is to be named, without repeating it', async () => {
    const problems = await site.problems(asking({ ...bySecret, secretFile: 'correct-horse-battery' }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain('correct-horse');
  });

  it('together with the removal of Authorization', async () => {
    for (const name of ['Authorization', 'auth*', '*']) {
      const problems = await site.problems({ ...routesWith(plain), identity: { remove: [name] } });
      expect(problems.some((problem) => problem.includes('identity.remove[0]'))).toBe(true);
    }
    expect(await site.problems({ ...routesWith(plain), identity: { remove: ['X-Authorization'] } })).toEqual(
      [],
    );
  });
});

it('warns of what it leaves open', async () => {
  expect(await warnings(routesWith({ ...plain, audience: 'any', requireBinding: false }))).toEqual([
    'audience: any: a token that was issued for another service is accepted too',
    'requireBinding: false: a stolen token without cnf is accepted from every client that the gateway admits',
  ]);
  expect(await warnings(asking(bySecret, { cache: '0ms' }))).toEqual([
    'introspection.cache: 0ms: each message waits for the authorization server',
  ]);
});

it.runIf(process.platform !== 'win32')('warns of a secret that every user may read', async () => {
  await chmod(join(site.folder, 'secret'), 0o644);
  expect(await warnings(asking(bySecret))).toEqual([
    'introspection.auth.secretFile: a file which every user of this machine may read (mode 0644)',
  ]);
  await chmod(join(site.folder, 'ed.key'), 0o644);
  const auth = { ...byKey, keyFile: 'ed.key', algorithm: 'EdDSA' };
  const [warning] = await warnings(asking(auth));
  expect(warning).toContain('may read (mode 0644)');
  for (const file of ['secret', 'ed.key']) await chmod(join(site.folder, file), 0o600);
});
