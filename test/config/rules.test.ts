import { describe, expect, test } from 'vitest';
import { callerSentence, checkRules } from '../../src/config/rules.ts';

const { problems: wanting } = checkRules({ clients: {} });

test('the sentence that refuses a configuration without a caller stands as agreed', () => {
  expect(callerSentence).toBe(
    'The chain alone proves only that the CA issued the certificate, and that CA serves every customer',
  );
  expect(wanting.map(({ path, allowed }) => [path, allowed.endsWith(callerSentence)])).toEqual([
    [['clients'], true],
  ]);
});

describe('what names a caller', () => {
  test.each<[string, object | undefined]>([
    ['no clients', undefined],
    ['empty clients', {}],
    ['anyCertificateOfAnchor: false', { anyCertificateOfAnchor: false }],
    ['anyCertificateOfAnchor as a text', { anyCertificateOfAnchor: 'true' }],
    ['a match on the issuer alone', { match: { issuer: 'CN=CA' } }],
    ['a list with a match on the issuer alone', { match: [{ commonName: 'a' }, { issuer: 'CN=CA' }] }],
    ['a range of length /0', { allowlist: ['0.0.0.0/0'] }],
    ['a range of length /0 beside others', { allowlist: ['203.0.113.7', '::/0'] }],
    ['every IPv4 address as mapped ones', { allowlist: ['::ffff:0:0/96'] }],
    ['the issuer alone and a range of length /0', { match: { issuer: 'CN=CA' }, allowlist: ['0.0.0.0/0'] }],
  ])('not %s', (_, clients) => {
    expect(checkRules({ clients }).problems).toEqual(wanting);
  });

  test.each<[string, object]>([
    ['a pin', { pins: ['sha256/…'] }],
    ['an allowlist', { allowlist: ['203.0.113.7'] }],
    ['a match with more than the issuer', { match: { issuer: 'CN=CA', commonName: 'a' } }],
    ['a pin beside a range of length /0', { pins: ['sha256/…'], allowlist: ['0.0.0.0/0'] }],
    ['the operator’s word', { anyCertificateOfAnchor: true }],
  ])('%s', (_, clients) => {
    expect(checkRules({ clients }).problems).toEqual([]);
  });
});

describe('warnings about callers', () => {
  const warningsOf = (clients: object) => checkRules({ clients }).warnings.map(({ found }) => found);

  test.each<[string, object, string[]]>([
    ['an allowlist alone', { allowlist: ['203.0.113.7'] }, ['an allowlist alone']],
    [
      'an allowlist and the issuer',
      { allowlist: ['203.0.113.7'], match: { issuer: 'CN=CA' } },
      ['an allowlist alone'],
    ],
    [
      'an allowlist that is said to be enough',
      { allowlist: ['203.0.113.7'], anyCertificateOfAnchor: true },
      [],
    ],
    ['an allowlist and a pin', { allowlist: ['203.0.113.7'], pins: ['sha256/…'] }, []],
    ['a pin alone', { pins: ['sha256/…'] }, ['no allowlist: any address may connect']],
    [
      'a pin and a range of length /0',
      { pins: ['sha256/…'], allowlist: ['::/0'] },
      ['a range of length /0: every address of its family may connect'],
    ],
  ])('%s', (_, clients, warnings) => {
    expect(warningsOf(clients)).toEqual(warnings);
  });
});

describe('anchors', () => {
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
      'a preset without a pin where pins are required',
      { requirePin: true, anchors: [{ name: 'a', preset: 'sandbox' }] },
      ['trust', 'anchors', 0],
      'no rootSha256: the first root that is fetched is trusted',
    ],
  ])('refuses %s', (_, trust, path, found) => {
    expect(check(trust).problems).toMatchObject([{ path, found }]);
  });

  test('refuses a name that another anchor has, in whatever case', () => {
    const { problems } = check({
      anchors: [
        { name: 'a', files },
        { name: 'b', files },
        { name: 'A', files },
      ],
    });
    expect(problems.map(({ path }) => path)).toEqual([['trust', 'anchors', 2, 'name']]);
  });

  test('warns of an anchor from a preset or URL without a pin, and of none from files', () => {
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
});

test('refuses a route that stands there already, and sees a difference in case', () => {
  const routes = ['/a', '/b', '/A', '/a', '/a'].map((path) => ({ path }));
  const { problems } = checkRules({ clients: { pins: ['sha256/…'] }, routes });
  expect(problems.map(({ path }) => path)).toEqual([
    ['routes', 3, 'path'],
    ['routes', 4, 'path'],
  ]);
});
