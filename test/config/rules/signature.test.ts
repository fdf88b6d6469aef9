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

it.each([
  [{ ...signature, header: 'X_Thredd_Signature' }, 'X_Thredd_Signature'],
  [{ ...signature, header: 'X-Forwarded-Signature' }, 'X-Forwarded-Signature'],
  [{ ...signature, timestamp: { header: 'Content-Length' } }, 'Content-Length'],
  [{ hmac: { header: 'X.SSL.Signature' } }, 'X.SSL.Signature'],
])('a field that no judged message has is refused: %j', (policy, name) => {
  expect(check({ routes: [{ signature: policy }] }).problems).toMatchObject([
    { path: ['routes', 0, 'signature'], found: expect.stringContaining(`${name}, which is removed`) },
  ]);
});

it('Authorization cannot be the field of a signature beside a token', () => {
  const routes = [{ signature: { ...signature, header: 'authorization' } }];
  expect(check({ routes }).problems).toEqual([]);
  expect(check({ routes: [{ ...routes[0], bearer: {} }] }).problems).toMatchObject([
    { path: ['routes', 0, 'signature'], found: expect.stringContaining('Authorization beside bearer') },
  ]);
});

it('warns of limits.heldBodies below limits.body, where a body is held', () => {
  const limits = { body: '10MiB', heldBodies: '1MiB' };
  expect(paths(check({ routes: [{ signature }], limits }).warnings)).toContain('limits.heldBodies');
  expect(paths(check({ routes: [{}], limits }).warnings)).not.toContain('limits.heldBodies');
  expect(paths(check({ routes: [{ signature }] }).warnings)).not.toContain('limits.heldBodies');
});

describe('identity.remove', () => {
  it.each([
    ['X-SIG', 'X-Sig'],
    ['x-time', 'X-Time'],
    ['X-K*', 'X-Kid'],
    // As the gateway removes them: with any separator.
    ['X_Sig', 'X-Sig'],
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
