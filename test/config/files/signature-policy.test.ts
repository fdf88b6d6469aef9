/** `routes[].signature` from the text of a configuration to the policy. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keySetOf, sender } from '../../support/jose/signed-body.ts';
import { createSite, type Site } from '../site.ts';

let site: Site;
const secret = 's3cret-of-the-sender-0123456789abcdef';

beforeAll(async () => {
  site = await createSite();
  await site.write('hmac.secret', `${secret}\n`);
  await site.write('keys.json', keySetOf(sender('a')));
});
afterAll(() => site[Symbol.asyncDispose]());

const routes = (signature: object) => [{ path: '/', upstream: 'http://127.0.0.1:8080', signature }];
const examine = (signature: object) => site.examine({ routes: routes(signature) });
const problems = async (signature: object) => {
  return (await site.problems({ routes: routes(signature) })).map((line) => line.replace(/^.*?: /, ''));
};

const jwks = { file: 'keys.json' };
const detached = { header: 'X-Thredd-Signature', scheme: 'jws-detached', algorithm: 'ES256', jwks };
const hmac = { secretFile: 'hmac.secret', header: 'X-Mac' };
const timestamp = { header: 'X-Time' };

describe('the policy', () => {
  it('of a detached JWS', async () => {
    const { loaded, files } = await examine({ ...detached, algorithm: ['ES256', 'PS256'] });
    expect(loaded?.routes[0]?.signature).toEqual({
      ...{ mode: 'enforce', header: 'x-thredd-signature', scheme: 'jws-detached', encoding: 'base64url' },
      ...{ algorithms: ['ES256', 'PS256'], kidHeader: null, keys: join(site.folder, 'keys.json') },
      ...{ timestamp: null, hmac: null, replay: 'allow' },
    });
    expect([...files.keys()]).toContain(join(site.folder, 'keys.json'));
    expect(loaded?.keySources.map(({ source }) => source)).toEqual([join(site.folder, 'keys.json')]);
  });

  it('of a raw signature', async () => {
    const { loaded } = await examine({
      ...{ mode: 'shadow', header: 'X-Sig', scheme: 'raw', encoding: 'hex', algorithm: 'EdDSA' },
      ...{ kid: { header: 'X-Kid' }, jwks: { uri: 'https://jwks.example.com/jwks.json', refresh: '10m' } },
    });
    expect(loaded?.routes[0]?.signature).toMatchObject({
      ...{ mode: 'shadow', scheme: 'raw', encoding: 'hex', algorithms: ['EdDSA'], kidHeader: 'x-kid' },
      keys: 'https://jwks.example.com/jwks.json',
    });
    expect(loaded?.keySources).toMatchObject([{ kind: 'uri', refresh: 600_000 }]);
  });

  it('of an HMAC, with the secret without its line break', async () => {
    const { loaded, files, warnings } = await examine({ hmac, timestamp, replay: 'refuse' });
    expect(loaded?.routes[0]?.signature).toMatchObject({
      ...{ header: 'x-mac', scheme: 'raw', encoding: 'hex', algorithms: [], keys: null },
      ...{ hmac: { secret: Buffer.from(secret) }, replay: 'refuse' },
      timestamp: { header: 'x-time', tolerance: 300_000, signed: '{timestamp}.{body}' },
    });
    expect([...files.keys()]).toContain(join(site.folder, 'hmac.secret'));
    expect(warnings).toEqual([]);
  });
});

describe('is refused:', () => {
  it.each<[string, object, RegExp]>([
    ['nothing that verifies', { header: 'X-Sig' }, /exactly one of jwks and hmac/],
    ['both', { ...detached, hmac }, /exactly one of jwks and hmac/],
    ['jwks without an algorithm', { ...detached, algorithm: undefined }, /algorithm beside jwks/],
    ['jwks without a scheme', { ...detached, scheme: undefined }, /scheme beside jwks/],
    ['jwks without a header', { ...detached, header: undefined }, /header beside jwks/],
    ['HMAC as an algorithm of keys', { ...detached, algorithm: 'HS256' }, /PS256 or/],
    ['no algorithm', { ...detached, algorithm: 'none' }, /PS256 or/],
    ['an encoding of a JWS', { ...detached, encoding: 'hex' }, /only with scheme: raw/],
    ['a key id of a JWS', { ...detached, kid: { header: 'X-Kid' } }, /only with scheme: raw/],
    ['an algorithm of an HMAC', { hmac, algorithm: 'ES256' }, /only beside jwks/],
    ['a header beside that of an HMAC', { hmac, header: 'X-Sig' }, /only beside jwks/],
    ['a field for two things', { hmac, timestamp: { header: 'x-MAC' } }, /a field of its own/],
    ['replays without a timestamp', { hmac, replay: 'refuse' }, /timestamp beside refuse/],
    ['a window that is too long', { hmac, timestamp: { ...timestamp, tolerance: '2h' } }, /from 1s to 1h/],
    ['no field name', { hmac: { ...hmac, header: 'X Mac' } }, /name of a header field/],
    ['an unknown field', { hmac, secret: 'x' }, /unknown key/],
  ])('%s', async (_, signature, expected) => {
    const found = await problems(signature);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it.each([
    '{timestamp}{body}',
    '{timestamp}v1{body}',
    '{body}',
    '{timestamp}.',
    '{timestamp}.{body}.{body}',
    '{timestamp}.{body}.{path}',
    '{timestamp}.{body}}',
    '{timestamp}.{body}é',
    '',
  ])('what is signed as %j', async (signed) => {
    const found = await problems({ hmac, timestamp: { ...timestamp, signed } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/\{timestamp\} and \{body\} once each/);
  });
});

it.each(['{body}|{timestamp}', 'v0:{timestamp}:{body}', '{timestamp}\n{body}'])(
  'allows %j to be signed',
  async (signed) => {
    expect(await problems({ hmac, timestamp: { ...timestamp, signed } })).toEqual([]);
  },
);

describe('the secret', () => {
  it.each([
    ['is missing', 'missing.secret', /cannot be read \(ENOENT\)/],
    ['is short', 'short.secret', /a file with 15 bytes/],
    ['may be read by every user', 'open.secret', /every user of this machine may read \(mode 0644\)/],
  ])('is refused where it %s, without its content or name', async (_, secretFile, expected) => {
    await site.write('short.secret', `${'s'.repeat(15)}\n`);
    await site.write('open.secret', secret);
    await chmod(join(site.folder, 'open.secret'), 0o644);
    const found = await problems({ hmac: { ...hmac, secretFile }, timestamp });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
    expect(found[0]).not.toMatch(/sssss|s3cret/);
  });

  it('is warned about where it is weaker than the HMAC', async () => {
    await site.write('weak.secret', 's'.repeat(16));
    const { warnings, loaded } = await examine({ hmac: { ...hmac, secretFile: 'weak.secret' }, timestamp });
    expect(loaded).not.toBeNull();
    expect(warnings).toMatchObject([{ path: 'routes[0].signature.hmac.secretFile' }]);
  });
});

describe('the memory against replays', () => {
  const about = async (tolerance: string, replay = 'refuse') => {
    const { problems, warnings } = await examine({ hmac, timestamp: { ...timestamp, tolerance }, replay });
    return [...problems, ...warnings].map(({ path, found, allowed }) => `${path}: ${found}; ${allowed}`);
  };

  it('is compared with the tolerance: where it carries few messages a second, that is a warning', async () => {
    expect(await about('1h')).toEqual([
      expect.stringMatching(
        /^routes\[0\]\.signature\.timestamp\.tolerance: 3600 seconds: .* carries 109 messages a second.*; at most 13m for 500/,
      ),
    ]);
    expect(await about('14m')).toHaveLength(1);
  });

  it('is large enough for shorter ones, and not needed without replay: refuse', async () => {
    expect(await about('13m')).toEqual([]);
    expect(await about('1h', 'allow')).toEqual([]);
  });
});
