import { describe, expect, it } from 'vitest';
import { checkRules } from '../../../src/config/rules/rules.ts';

const clients = { match: { commonName: 'a' } };
const signature = { header: 'X-Sig', timestamp: { header: 'X-Time' }, kid: { header: 'X-Kid' } };
const check = (config: object) => checkRules({ clients, ...config });
const paths = (found: readonly { readonly path: readonly PropertyKey[] }[]) =>
  found.map(({ path }) => path.join('.'));

describe('clients.certificate: optional', () => {
  const optional = { clients: { ...clients, certificate: 'optional' } };

  it.each([
    ['no route at all', []],
    ['one route with a signature', [{ path: '/', signature }]],
    [
      'every route with one',
      [
        { path: '/', signature },
        { path: '/a', signature: { ...signature, mode: 'enforce' } },
      ],
    ],
  ])('is allowed with %s, with a warning in words', (_, routes) => {
    const { problems, warnings } = check({ ...optional, routes });
    expect(problems).toEqual([]);
    const [warning] = warnings.filter(({ path }) => path.join('.') === 'clients.certificate');
    expect(warning?.found).toMatch(
      /without a certificate may connect.*the method, the path .* are not signed/,
    );
  });

  it.each([
    ['without a signature', [{ path: '/', signature }, { path: '/a' }], /routes\[1\]/],
    ['in mode shadow', [{ path: '/', signature: { ...signature, mode: 'shadow' } }], /routes\[0\]/],
    ['whose signature is no mapping', [{ path: '/', signature: null }], /routes\[0\]/],
  ])('is refused with a route %s', (_, routes, found) => {
    const { problems } = check({ ...optional, routes });
    expect(problems).toMatchObject([
      { path: ['clients', 'certificate'], found: expect.stringMatching(found) },
    ]);
  });

  it('says nothing where a certificate is required', () => {
    expect(paths(check({ clients: { ...clients, certificate: 'required' } }).warnings)).not.toContain(
      'clients.certificate',
    );
  });
});

describe('identity.remove', () => {
  it.each([
    ['X-SIG', 'X-Sig'],
    ['x-time', 'X-Time'],
    ['X-K*', 'X-Kid'],
    ['*', 'X-Sig'],
  ])('must not remove a field of a signature: %s', (remove, hit) => {
    const { problems } = check({ routes: [{ signature }], identity: { remove: ['X-Other', remove] } });
    expect(problems).toMatchObject([
      { path: ['identity', 'remove', 1], found: expect.stringContaining(`removes ${hit}`) },
    ]);
  });

  it('must not remove the field of an HMAC', () => {
    const routes = [{ signature: { hmac: { header: 'X-Mac' } } }];
    expect(paths(check({ routes, identity: { remove: ['x-mac'] } }).problems)).toEqual(['identity.remove.0']);
  });

  it('may remove other fields', () => {
    const identity = { remove: ['X-Signature', 'X-Si', 'Y*'] };
    expect(check({ routes: [{ signature }], identity }).problems).toEqual([]);
  });
});

it('warns about a signature without a timestamp', () => {
  const { warnings } = check({
    routes: [{ path: '/a' }, { path: '/', signature: { header: 'X-Sig' } }, { signature }],
  });
  expect(paths(warnings).filter((path) => path.startsWith('routes'))).toEqual(['routes.1.signature']);
});
