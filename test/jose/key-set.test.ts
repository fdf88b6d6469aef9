import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { jwksOf } from '../../src/issuing/jwks.ts';
import { CompiledKeySet, compileKeySet } from '../../src/jose/compiled-key-set.ts';
import { describeSkipped, type KeySetReading, readKeySet } from '../../src/jose/key-set.ts';
import { publicMembersOf } from '../../src/jose/thumbprint.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { type KeyKind, makeKey } from '../../src/pki/key.ts';
import { authority } from '../support/pki/authority.ts';

const pki = authority();
const client = pki.issueClient({ key: 'P-256' });
const x5c = [client.der.toString('base64')];

const publicJwk = (key: KeyObject, more: object = {}) => ({
  ...publicMembersOf(createPublicKey(key)),
  ...more,
});
const fresh = (kind: KeyKind, more: object = {}) => publicJwk(makeKey(kind), more);
const read = (...keys: unknown[]) => readKeySet(Buffer.from(JSON.stringify({ keys })));

function accepted(reading: KeySetReading) {
  if (!reading.ok) throw new Error(reading.problem);
  return reading;
}
const keysOf = (reading: KeySetReading) => accepted(reading).keys;
/** Why the first key is skipped, beside one that is not. */
const whySkipped = (key: unknown) => accepted(read(key, fresh('P-256'))).skipped[0]?.why;

const rsa = fresh('rsa-2048', { kid: 'rsa' });

describe('readKeySet', () => {
  it('reads keys of each type with their thumbprints, which the package jose computes alike', async () => {
    const jwks = (['rsa-2048', 'P-256', 'P-384', 'P-521', 'ed25519'] as const).map((kind) =>
      fresh(kind, { kid: kind }),
    );
    const { keys, skipped } = accepted(read(...jwks));
    expect(skipped).toEqual([]);
    expect(keys.map(({ kid }) => kid)).toEqual(jwks.map(({ kid }) => kid));
    for (const [index, jwk] of jwks.entries())
      expect(keys[index]?.thumbprint).toBe(await calculateJwkThumbprint(jwk as JWK));
  });

  it('keeps public members only, and what the certificate of the key is', () => {
    const [key] = keysOf(
      read(publicJwk(client.privateKey, { kid: 'a', use: 'sig', alg: 'ES256', x5c, x5t: 'old', note: 1 })),
    );
    expect(key).toEqual({
      kid: 'a',
      alg: 'ES256',
      verifies: true,
      jwk: publicMembersOf(createPublicKey(client.privateKey)),
      thumbprint: key?.thumbprint,
      certificate: parseCertificate(client.der).thumbprint,
    });
  });

  it('takes the key of the certificate where a keystore states no other', () => {
    const stated = keysOf(read(publicJwk(client.privateKey, { x5c })));
    const { thumbprint } = parseCertificate(client.der);
    expect(keysOf(read({ kty: 'EC', x5c, 'x5t#S256': thumbprint }))).toEqual(stated);
  });

  it('reads what `certs jwks` writes', () => {
    const set = jwksOf([{ file: 'client.pem', certificates: [parseCertificate(client.der)] }]);
    const { keys, skipped } = accepted(readKeySet(Buffer.from(JSON.stringify(set))));
    expect(skipped).toEqual([]);
    expect(keys).toMatchObject([
      { kid: set.keys[0]?.kid, thumbprint: set.keys[0]?.kid, certificate: set.keys[0]?.['x5t#S256'] },
    ]);
  });

  it('gives the published thumbprint for the certificate of the Authlete example', () => {
    const der = new X509Certificate(readFileSync(new URL('../fixtures/authlete/client.pem', import.meta.url)))
      .raw;
    const [key] = keysOf(read({ kty: 'RSA', kid: '1', x5c: [der.toString('base64')] }));
    expect(key?.certificate).toBe('OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw');
  });

  it('reads a set without keys', () => {
    expect(read()).toEqual({ ok: true, keys: [], skipped: [] });
  });

  it.each([
    ['a private RSA key', { ...makeKey('rsa-2048').export({ format: 'jwk' }), kid: 'mine' }],
    ['a private EC key', { ...makeKey('P-256').export({ format: 'jwk' }), kid: 'mine' }],
    ['a private Ed25519 key', { ...makeKey('ed25519').export({ format: 'jwk' }), kid: 'mine' }],
    ['one private member', { ...rsa, kid: 'mine', qi: '' }],
    ['a symmetric key', { kty: 'oct', kid: 'mine', k: 'c2VjcmV0' }],
    ['a symmetric key of another type', { kty: 'RSA', kid: 'mine', k: 'c2VjcmV0' }],
    ['a symmetric key without a value', { kty: 'oct', kid: 'mine' }],
  ])('refuses a set with %s as a whole, names it by kid, and repeats no value', (_what, secret) => {
    expect(read(rsa, secret)).toEqual({
      ok: false,
      problem: 'a private or symmetric key, keys[1] (kid mine): remove it and replace the key',
    });
  });

  it.each([
    ['a curve that is not allowed', () => fresh('secp256k1'), /its curve \(crv\)/],
    ['an RSA key of 1024 bits', () => fresh('rsa-1024'), /an RSA key of 1024 bits, fewer than 2048/],
    ['an unknown type', () => ({ kty: 'PQ', x: 'AAAA' }), /its type \(kty\)/],
    ['a type that is a name of Object', () => ({ kty: 'constructor' }), /its type \(kty\)/],
    ['a point that is not on its curve', () => ({ ...fresh('P-256'), x: fresh('P-256').x }), /are no key/],
    ['a short coordinate', () => ({ ...fresh('P-256'), x: 'AQ' }), /coordinates are not 32 octets/],
    ['X25519', () => ({ kty: 'OKP', crv: 'X25519', x: fresh('ed25519').x }), /its curve/],
    [
      'Ed25519 as an EC curve',
      () => ({ ...fresh('ed25519'), kty: 'EC', y: fresh('ed25519').x }),
      /its curve/,
    ],
    ['an exponent of 1', () => ({ ...rsa, e: 'AQ' }), /exponent/],
    ['an even exponent', () => ({ ...rsa, e: 'AQAC' }), /exponent/],
    ['an exponent of 9 octets', () => ({ ...rsa, e: 'AQAAAAAAAAAB' }), /exponent/],
    ['a leading zero octet', () => ({ ...rsa, e: 'AAEAAQ' }), /zero octet/],
    ['padding in Base64url', () => ({ ...rsa, e: 'AQAB==' }), /e is not Base64url/],
    ['a missing value', () => ({ kty: 'RSA', e: 'AQAB' }), /n is missing/],
    ['a number as kid', () => ({ ...rsa, kid: 7 }), /kid/],
    ['a long kid', () => ({ ...rsa, kid: 'k'.repeat(257) }), /kid/],
    ['a list as use', () => ({ ...rsa, use: ['sig'] }), /use/],
    ['a number as alg', () => ({ ...rsa, alg: 1 }), /alg/],
    ['an empty x5c', () => ({ ...rsa, x5c: [] }), /x5c is no list/],
    ['Base64url in x5c', () => ({ ...rsa, x5c: ['_-_-'] }), /x5c\[0\] is not Base64/],
    ['no certificate in x5c', () => ({ ...rsa, x5c: ['AAAA'] }), /no certificate that can be read/],
    ['the certificate of another key', () => fresh('P-256', { x5c }), /not that of its certificate/],
    ['another kty than that of its certificate', () => ({ kty: 'RSA', x5c }), /its kty is not that/],
    [
      'another x5t#S256',
      () => publicJwk(client.privateKey, { x5c, 'x5t#S256': 'AAAA' }),
      /x5t#S256 is not that/,
    ],
    ['text', () => 'key', /no JSON object/],
  ])('skips a key with %s, says why, and uses the other keys', (_what, key, why) => {
    expect(whySkipped(key())).toMatch(why);
    expect(keysOf(read(key(), rsa))).toHaveLength(1);
  });

  it('shows a kid that could change what a terminal shows with its characters escaped', () => {
    const [skipped] = accepted(read({ ...fresh('rsa-1024'), kid: 'a\u001b[2J\u202eb' }, rsa)).skipped;
    expect(skipped && describeSkipped(skipped)).toMatch(/^keys\[0\] \(kid a\\u\{1b\}\[2J\\u\{202e\}b\): /);
  });

  it('refuses a set of which no key can be used', () => {
    expect(read(fresh('rsa-1024', { kid: 'old' }))).toEqual({
      ok: false,
      problem:
        'no key that can be used; the first is skipped: keys[0] (kid old): it is an RSA key of 1024 bits, fewer than 2048',
    });
  });

  it.each([
    ['an HTML page', '<!doctype html><title>502</title>', 'an HTML or XML page'],
    ['a certificate', client.pem, 'a certificate'],
    ['a private key', client.keyPem, 'a private key'],
    ['nothing', '', 'an empty file'],
    ['a half of it', '{"keys":[{"kty"', 'text that is not JSON'],
    ['one key', JSON.stringify(rsa), 'JSON without an array "keys"'],
    ['a list', '[]', 'JSON without an array "keys"'],
    ['a repeated name', '{"keys":[],"keys":[]}', 'JSON in which an object has two members of one name'],
  ])('refuses %s instead of a set', (_what, text, problem) => {
    expect(readKeySet(Buffer.from(text))).toEqual({ ok: false, problem });
  });

  it('refuses more than 1000 keys, and more than 1 MiB', () => {
    expect(read(...Array(1001).fill(rsa))).toEqual({ ok: false, problem: '1001 keys, more than 1000' });
    expect(readKeySet(Buffer.alloc(1024 * 1024 + 1, 0x20))).toMatchObject({
      ok: false,
      problem: 'more than 1048576 bytes',
    });
  });
});

describe('CompiledKeySet', () => {
  const find = (
    keys: readonly object[],
    kid: string | null,
    algorithm: 'ES256' | 'RS256' | 'PS256' | 'EdDSA',
  ) => new CompiledKeySet(keysOf(read(...keys))).find({ kid, algorithm }).map((key) => key.kid);

  it('finds a key by its kid if its type fits the algorithm', () => {
    const keys = [
      rsa,
      fresh('P-256', { kid: 'ec' }),
      fresh('P-384', { kid: 'ec384' }),
      fresh('ed25519', { kid: 'ed' }),
    ];
    expect(find(keys, 'ec', 'ES256')).toEqual(['ec']);
    expect(find(keys, 'ec', 'RS256')).toEqual([]);
    expect(find(keys, 'ec384', 'ES256')).toEqual([]);
    expect(find(keys, 'ed', 'EdDSA')).toEqual(['ed']);
    expect(find(keys, 'rsa', 'RS256')).toEqual(['rsa']);
    expect(find(keys, 'rsa', 'PS256')).toEqual(['rsa']);
    expect(find(keys, 'unknown', 'RS256')).toEqual([]);
  });

  it('finds every key that fits the algorithm where no kid is named', () => {
    const keys = [fresh('P-256', { kid: 'a' }), rsa, fresh('P-256'), fresh('P-521', { kid: 'b' })];
    expect(find(keys, null, 'ES256')).toEqual(['a', null]);
  });

  it('finds both keys with one kid', () => {
    expect(find([fresh('P-256', { kid: 'a' }), fresh('P-256', { kid: 'a' })], 'a', 'ES256')).toEqual([
      'a',
      'a',
    ]);
  });

  it('uses a key only with the algorithm that it states', () => {
    expect(find([{ ...rsa, alg: 'PS256' }], 'rsa', 'PS256')).toEqual(['rsa']);
    expect(find([{ ...rsa, alg: 'PS256' }], 'rsa', 'RS256')).toEqual([]);
  });

  it.each([
    [{ use: 'enc' }, []],
    [{ use: 'tls' }, []],
    [{ key_ops: ['encrypt'] }, []],
    [{ use: 'sig', key_ops: ['verify'] }, ['rsa']],
  ])('verifies no signature with a key of %j', (uses, expected) => {
    expect(find([{ ...rsa, ...uses }], 'rsa', 'RS256')).toEqual(expected);
  });

  it('knows whether any key has a kid, whatever the key is for', () => {
    const set = new CompiledKeySet(keysOf(read({ ...rsa, use: 'enc' })));
    expect([set.has('rsa'), set.has('ec')]).toEqual([true, false]);
  });

  it('stays the same over a new snapshot with the same keys, and only then', () => {
    const first = compileKeySet(keysOf(read(rsa)), null);
    expect(compileKeySet(structuredClone(keysOf(read(rsa))), first)).toBe(first);
    expect(compileKeySet(keysOf(read({ ...rsa, kid: 'other' })), first)).not.toBe(first);
    expect(compileKeySet(keysOf(read({ ...rsa, use: 'enc' })), first)).not.toBe(first);
    expect(compileKeySet([], first).find({ kid: 'rsa', algorithm: 'RS256' })).toEqual([]);
  });
});
