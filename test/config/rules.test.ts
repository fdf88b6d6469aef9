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
    ['a shadow', { shadow: { pins: ['sha256/…'], allowlist: ['203.0.113.7'], match: { commonName: 'a' } } }],
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

test('refuses a route that stands there already, and sees a difference in case', () => {
  const routes = ['/a', '/b', '/A', '/a', '/a'].map((path) => ({ path }));
  const { problems } = checkRules({ clients: { pins: ['sha256/…'] }, routes });
  expect(problems.map(({ path }) => path)).toEqual([
    ['routes', 3, 'path'],
    ['routes', 4, 'path'],
  ]);
});
