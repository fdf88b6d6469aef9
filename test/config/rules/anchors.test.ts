import { describe, expect, test } from 'vitest';
import { checkRules } from '../../../src/config/rules/rules.ts';

const clients = { pins: ['sha256/…'], allowlist: ['203.0.113.7'] };
const check = (trust: object) => checkRules({ clients, trust });
const files = ['root.pem'];
const rootSha256 = 'ab'.repeat(32);

test.each<[string, object, (string | number)[], string]>([
  ['no source', { anchors: [{ name: 'a' }] }, ['trust', 'anchors', 0], 'none of preset, files, urls'],
  [
    'two sources',
    { anchors: [{ name: 'a', files, preset: 'sandbox', rootSha256 }] },
    ['trust', 'anchors', 0],
    'preset and files',
  ],
  [
    'tls without urls',
    { anchors: [{ name: 'a', files, tls: { ca: 'ca.pem' } }] },
    ['trust', 'anchors', 0, 'tls'],
    'tls without urls',
  ],
  [
    'both presets',
    {
      anchors: [
        { name: 'a', preset: 'production', rootSha256 },
        { name: 'b', preset: 'sandbox', rootSha256 },
      ],
    },
    ['trust', 'anchors', 1, 'preset'],
    'the presets sandbox and production in one configuration',
  ],
  [
    'a preset without a pin with requirePin',
    { requirePin: true, anchors: [{ name: 'a', preset: 'sandbox' }] },
    ['trust', 'anchors', 0],
    'no rootSha256: the first root that is fetched is trusted',
  ],
])('refuses %s', (_, trust, path, found) => {
  expect(check(trust).problems).toMatchObject([{ path, found }]);
});

test('refuses a name that another anchor has, ignoring case', () => {
  const { problems } = check({
    anchors: [
      { name: 'a', files },
      { name: 'b', files },
      { name: 'A', files },
    ],
  });
  expect(problems.map(({ path }) => path)).toEqual([['trust', 'anchors', 2, 'name']]);
});

test('warns of an anchor with preset or urls without a pin, and not of one with files', () => {
  const anchors = [
    { name: 'a', preset: 'sandbox' },
    { name: 'b', urls: ['https://pki.example/ca.pem'] },
    { name: 'c', urls: ['https://pki.example/ca.pem'], rootSha256 },
    { name: 'd', files },
  ];
  const { problems, warnings } = check({ anchors });
  expect(problems).toEqual([]);
  expect(warnings.map(({ path }) => path)).toEqual([
    ['trust', 'anchors', 0],
    ['trust', 'anchors', 1],
  ]);
});

describe('candidates', () => {
  const anchors = [{ name: 'a', preset: 'production', rootSha256 }];

  test.each<[string, object[], (string | number)[]]>([
    ['no source', [{ name: 'b' }], ['trust', 'candidates', 0]],
    ['tls without urls', [{ name: 'b', files, tls: { ca: 'ca.pem' } }], ['trust', 'candidates', 0, 'tls']],
    [
      'the name of another candidate',
      [
        { name: 'b', files },
        { name: 'B', files },
      ],
      ['trust', 'candidates', 1, 'name'],
    ],
    [
      'the other preset',
      [{ name: 'b', preset: 'sandbox', rootSha256 }],
      ['trust', 'candidates', 0, 'preset'],
    ],
  ])('have the rules of anchors: %s', (_, candidates, path) => {
    expect(check({ anchors, candidates }).problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('may have the name of the anchor that they will replace', () => {
    expect(check({ anchors, candidates: [{ name: 'a', files }] }).problems).toEqual([]);
  });

  test('need a pin with requirePin, and cause a warning without one otherwise', () => {
    const candidates = [{ name: 'b', preset: 'production' }];
    const path = ['trust', 'candidates', 0];
    expect(check({ anchors, candidates, requirePin: true }).problems).toMatchObject([{ path }]);
    expect(check({ anchors, candidates })).toMatchObject({ problems: [], warnings: [{ path }] });
  });
});

describe('revocation', () => {
  const at = ['trust', 'anchors', 0, 'revocation'];

  test.each<[string, object, (string | number)[][]]>([
    ['the defaults', {}, []],
    ['CRLs alone', { ocsp: 'off' }, []],
    ['OCSP alone', { crl: 'off', onUnknown: 'deny' }, []],
    ['soft-fail', { onUnknown: 'allow' }, [[...at, 'onUnknown']]],
    ['soft-fail with one source', { crl: 'off', onUnknown: 'allow' }, [[...at, 'onUnknown']]],
    ['no source', { crl: 'off', ocsp: 'off' }, [at]],
    ['no source, reported once', { crl: 'off', ocsp: 'off', onUnknown: 'allow' }, [at]],
  ])('causes a warning if revoked certificates may be accepted: %s', (_, revocation, paths) => {
    const { problems, warnings } = check({ anchors: [{ name: 'a', files, revocation }] });
    expect(problems).toEqual([]);
    expect(warnings.map(({ path }) => path)).toEqual(paths);
  });
});
