import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainMismatch, matchesAny } from '../../src/identity/match.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { MatchRule } from '../../src/policy/snapshot.ts';
import { authority } from '../support/pki/authority.ts';

const pki = authority();
const leaf = parseCertificate(
  pki.issueClient({
    subject: { C: 'GB', O: 'Example', OU: ['First unit', 'Second unit'], CN: ['First name', 'Second name'] },
    sans: ['DNS:client.example', 'URI:urn:example:client', 'email:ehi@client.example', 'IP:192.0.2.7'],
  }).der,
);
const issuer = 'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB';
const colons = (hex: string) => hex.toUpperCase().replaceAll(/..(?=.)/g, '$&:');

describe('a rule with one field', () => {
  it.each<[string, MatchRule]>([
    ['the first organizational unit', { organizationalUnit: 'First unit' }],
    ['the second organizational unit', { organizationalUnit: 'Second unit' }],
    ['the first common name', { commonName: 'First name' }],
    ['the second common name', { commonName: 'Second name' }],
    ['the issuer as an RFC 4514 string', { issuer }],
    ['a DNS name', { san: 'DNS:client.example' }],
    ['a URI', { san: 'URI:urn:example:client' }],
    ['an e-mail address', { san: 'email:ehi@client.example' }],
    ['an IP address', { san: 'IP:192.0.2.7' }],
    ['the thumbprint as x5t#S256', { thumbprint: leaf.thumbprint }],
    ['the thumbprint in hex', { thumbprint: leaf.sha256 }],
    ['the thumbprint in hex with colons, upper case', { thumbprint: colons(leaf.sha256) }],
  ])('matches %s', (_what, rule) => {
    expect(matchesAny(leaf, [rule])).toBe(true);
  });

  it.each<[string, MatchRule]>([
    ['another case', { organizationalUnit: 'first unit' }],
    ['a part', { organizationalUnit: 'First' }],
    ['more', { commonName: 'First name ' }],
    ['a pattern', { commonName: '*' }],
    ['the unit as a name', { commonName: 'First unit' }],
    ['the issuer in OpenSSL’s order', { issuer: issuer.split(',').reverse().join(',') }],
    ['the issuer’s common name alone', { issuer: 'CN=Example Issuing CA' }],
    ['a DNS name in another case', { san: 'DNS:Client.example' }],
    ['a DNS name below', { san: 'DNS:a.client.example' }],
    ['a DNS name given as URI', { san: 'URI:client.example' }],
    ['a name without its kind', { san: 'client.example' }],
    ['an address in another form', { san: 'IP:192.0.2.007' }],
    ['a thumbprint in another case of base64url', { thumbprint: leaf.thumbprint.toLowerCase() }],
    ['a thumbprint cut short', { thumbprint: leaf.sha256.slice(0, -2) }],
    ['the empty text', { commonName: '' }],
  ])('does not match %s', (_what, rule) => {
    expect(matchesAny(leaf, [rule])).toBe(false);
  });
});

it('a rule without fields, or with an undefined field, matches no leaf', () => {
  expect(matchesAny(leaf, [])).toBe(false);
  expect(matchesAny(leaf, [{}])).toBe(false);
  expect(matchesAny(leaf, [{ commonName: undefined } as unknown as MatchRule])).toBe(false);
});

it('a rule does not match a field that the leaf does not have', () => {
  const bare = parseCertificate(pki.issueClient({ subject: { O: 'Example' } }).der);
  for (const field of ['organizationalUnit', 'commonName', 'san'] as const) {
    for (const value of ['', 'undefined', 'null', 'First unit']) {
      expect(matchesAny(bare, [{ [field]: value }])).toBe(false);
    }
  }
});

it('rules match if all fields of any one rule match', () => {
  const right = {
    organizationalUnit: 'Second unit',
    commonName: 'First name',
    issuer,
    san: 'URI:urn:example:client',
    thumbprint: leaf.sha256,
  } satisfies MatchRule;
  const fields = Object.keys(right) as (keyof MatchRule)[];
  /** Some of the fields, each with the right value or a wrong one. */
  const rule = fc
    .subarray(fields, { minLength: 1 })
    .chain((chosen) =>
      fc
        .array(fc.boolean(), { minLength: chosen.length, maxLength: chosen.length })
        .map((good) => chosen.map((field, index) => [field, good[index] ? right[field] : 'wrong'] as const)),
    );
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), (rules) => {
      const matching = rules.some((entries) => entries.every(([, value]) => value !== 'wrong'));
      const given: MatchRule[] = rules.map((entries) => Object.fromEntries(entries));
      expect(matchesAny(leaf, given)).toBe(matching);
    }),
  );
});

describe('the explanation of a mismatch', () => {
  const good = { organizationalUnit: 'First unit', commonName: 'First name' };

  it('names each field that differs, its values in the leaf, and the required value', () => {
    expect(explainMismatch(leaf, [{ ...good, commonName: 'Third name', issuer: 'CN=x' }])).toBe(
      `clients.match: the leaf’s commonName is "First name" and "Second name", not "Third name"; issuer is "${issuer}", not "CN=x"`,
    );
    expect(explainMismatch(leaf, [{ san: 'DNS:other.example' }])).toMatch(
      /san is "DNS:client\.example" and .*, not "DNS:other\.example"$/,
    );
    expect(explainMismatch(leaf, [{ thumbprint: 'x' }])).toContain(leaf.thumbprint);
  });

  it('is about the rule with the fewest differences', () => {
    const far = { organizationalUnit: 'a', commonName: 'b', san: 'DNS:c' };
    expect(explainMismatch(leaf, [far, { ...good, organizationalUnit: 'a' }])).toBe(
      'clients.match: mapping 2 of 2 is nearest: the leaf’s organizationalUnit is "First unit" and "Second unit", not "a"',
    );
  });

  it('covers a leaf without the field, rules without fields, and an empty list of rules', () => {
    const bare = parseCertificate(pki.issueClient({ subject: { O: 'Example' } }).der);
    expect(explainMismatch(bare, [good])).toMatch(
      /organizationalUnit is none, not "First unit"; commonName is none/,
    );
    for (const rules of [[], [{}]]) expect(explainMismatch(leaf, rules)).toMatch(/no mapping with a field/);
  });

  it('is short for long and many values', () => {
    const long = parseCertificate(
      pki.issueClient({
        subject: { CN: 'n' },
        sans: Array.from({ length: 40 }, (_, at) => `DNS:${'a'.repeat(200)}${at}`),
      }).der,
    );
    expect(explainMismatch(long, [{ san: 'DNS:b' }]).length).toBeLessThan(400);
  });
});
