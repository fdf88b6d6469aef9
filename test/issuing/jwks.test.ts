import { calculateJwkThumbprint, createLocalJWKSet, importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { type JwkChoices, type Jwks, jwksOf } from '../../src/issuing/jwks.ts';
import { readJwks } from '../../src/issuing/jwks-reader.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority, type Issued } from '../support/pki/authority.ts';

const pki = authority();
const rsa = pki.issueClient({ key: 'rsa-2048' });
const curves = (['P-256', 'P-384', 'P-521'] as const).map((key) => pki.issueClient({ key }));

function setOf(leaves: readonly Pick<Issued, 'der'>[], choices?: JwkChoices): Jwks {
  const certificates = leaves.map(({ der }) => parseCertificate(der));
  return jwksOf([{ file: 'client.pem', certificates }], choices);
}

const bytesOf = (set: unknown) => Buffer.from(JSON.stringify(set));
const read = (set: unknown) => readJwks(bytesOf(set), 'jwks.json');

describe('jwksOf', () => {
  it('has the members of RFC 7517 and RFC 7518, and no others', () => {
    const { keys } = setOf([rsa, ...curves]);
    expect(Object.keys(keys[0] ?? {})).toEqual(['kid', 'kty', 'use', 'alg', 'n', 'e', 'x5c', 'x5t#S256']);
    expect(Object.keys(keys[1] ?? {})).toEqual([
      'kid',
      'kty',
      'use',
      'alg',
      'crv',
      'x',
      'y',
      'x5c',
      'x5t#S256',
    ]);
    expect(keys.map(({ kty, alg, use, crv }) => [kty, alg, use, crv])).toEqual([
      ['RSA', 'RS256', 'sig', undefined],
      ['EC', 'ES256', 'sig', 'P-256'],
      ['EC', 'ES384', 'sig', 'P-384'],
      ['EC', 'ES512', 'sig', 'P-521'],
    ]);
    expect(keys[0]?.['x5t#S256']).toBe(parseCertificate(rsa.der).thumbprint);
  });

  it('jose accepts each key, computes the same thumbprint, and verifies with it what the private key has signed', async () => {
    const set = setOf([rsa, ...curves]);
    for (const [index, leaf] of [rsa, ...curves].entries()) {
      const jwk = set.keys[index] as Jwks['keys'][number];
      expect(await calculateJwkThumbprint(jwk as JWK, 'sha256')).toBe(jwk.kid);
      await importJWK(jwk as JWK);
      const signer = new SignJWT({ a: 1 }).setProtectedHeader({ alg: jwk.alg, kid: jwk.kid });
      const token = await signer.sign(leaf.privateKey);
      const { payload } = await jwtVerify(token, createLocalJWKSet(set as { keys: JWK[] }));
      expect(payload).toEqual({ a: 1 });
    }
  });

  it('derives the use from the key usage of the certificate', () => {
    const uses = [
      [null, 'sig', 'RS256'],
      [['digitalSignature', 'keyEncipherment'], 'sig', 'RS256'],
      [['nonRepudiation'], 'sig', 'RS256'],
      [['keyEncipherment', 'dataEncipherment'], 'enc', 'RSA-OAEP-256'],
    ] as const;
    for (const [keyUsage, use, alg] of uses)
      expect(setOf([pki.issueClient({ key: rsa.privateKey, keyUsage })]).keys[0]).toMatchObject({ use, alg });
    const agreement = pki.issueClient({ keyUsage: ['keyAgreement'] });
    expect(setOf([agreement]).keys[0]).toMatchObject({ use: 'enc', alg: 'ECDH-ES' });
  });

  it('takes another use and algorithm, if the key has it', () => {
    expect(setOf([rsa], { alg: 'PS256' }).keys[0]).toMatchObject({ use: 'sig', alg: 'PS256' });
    expect(setOf([rsa], { use: 'enc' }).keys[0]).toMatchObject({ use: 'enc', alg: 'RSA-OAEP-256' });
    expect(() => setOf([rsa], { alg: 'ES256' })).toThrow(
      /^client\.pem: the certificate CN=Example client,.*: found alg ES256 for use sig and RSA; allowed RS256, PS256,/,
    );
    expect(() => setOf([curves[0] as Issued], { alg: 'ES384' })).toThrow(
      /found alg ES384 for use sig and P-256; allowed ES256$/,
    );
  });

  it('puts the issuers of a certificate, in whatever order they come, into its chain', () => {
    const [leaf, issuing, root] = [rsa, pki.issuing, pki.root].map(({ der }) => der.toString('base64'));
    for (const order of [
      [rsa, pki.issuing, pki.root],
      [pki.root, rsa, pki.issuing],
    ])
      expect(setOf(order).keys.map(({ x5c }) => x5c)).toEqual([[leaf, issuing, root]]);
  });

  it('makes a key of a self-signed certificate, even of a CA’s', () => {
    expect(setOf([pki.root]).keys).toHaveLength(1);
  });

  it.each([
    ['rsa-1024', 'found an RSA key of 1024 bits; allowed RSA from 2048 bits, P-256, P-384, P-521'],
    ['ed25519', 'found a key of type ed25519; allowed RSA'],
    ['secp256k1', 'found an EC key on secp256k1; allowed RSA'],
  ] as const)('refuses %s', (key, message) => {
    expect(() => setOf([pki.issueClient({ key })])).toThrow(message);
  });

  it('refuses two certificates with one key, which would have one kid', () => {
    const renewed = pki.issueClient({ key: rsa.privateKey });
    expect(() => setOf([rsa, renewed])).toThrow(
      /has the same key as client\.pem: the certificate .*; allowed one certificate per key$/,
    );
  });
});

describe('readJwks', () => {
  it('reads back what jwksOf has made', () => {
    const entries = read(setOf([rsa, pki.issuing, ...curves]));
    expect(entries.map(({ certificates }) => certificates.map(({ der }) => der))).toEqual([
      [rsa.der, pki.issuing.der],
      ...curves.map(({ der }) => [der, pki.issuing.der]),
    ]);
    expect(entries.map(({ use, alg }) => [use, alg])[0]).toEqual(['sig', 'RS256']);
  });

  it('reads a key with nothing but what RFC 8705 §2.2 needs', () => {
    const { kty, n, e, x5c } = setOf([rsa]).keys[0] as Jwks['keys'][number];
    expect(read({ keys: [{ kty, n, e, x5c }] })).toMatchObject([{ kid: null, use: null, alg: null }]);
  });

  const [key, other] = setOf([rsa, ...curves]).keys as [Jwks['keys'][number], Jwks['keys'][number]];
  const [leaf = ''] = key.x5c;
  it.each([
    [
      'a private key',
      { keys: [key, { ...other, d: 'SECRET' }] },
      'jwks.json: keys[1].d: found a private key; allowed public keys only',
    ],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'SECRET' }] }, 'jwks.json: keys[0].k: found a private key'],
    [
      'a key without certificate',
      { keys: [{ ...key, x5c: undefined }] },
      'jwks.json: keys[0].x5c: found nothing; allowed the certificate in Base64',
    ],
    ['an empty x5c', { keys: [{ ...key, x5c: [] }] }, 'keys[0].x5c: found no list of certificates'],
    [
      'Base64url',
      { keys: [{ ...key, x5c: [Buffer.from(leaf, 'base64').toString('base64url')] }] },
      'keys[0].x5c[0]: found text that is not Base64; allowed DER in Base64, not Base64url',
    ],
    [
      'line breaks',
      { keys: [{ ...key, x5c: [leaf.replace(/(.{64})/g, '$1\n')] }] },
      'keys[0].x5c[0]: found text that is not Base64',
    ],
    ['a number', { keys: [{ ...key, x5c: [1] }] }, 'keys[0].x5c[0]: found text that is not Base64'],
    ['no certificate', { keys: [{ ...key, x5c: ['AAAA'] }] }, 'keys[0].x5c[0]: '],
    [
      'another key',
      { keys: [{ ...key, n: 'AAAA' }] },
      'keys[0].n: found another value than that of the certificate in x5c[0]; allowed the same key in both',
    ],
    ['another type', { keys: [{ ...key, x5c: other.x5c }] }, 'keys[0].kty: found another value'],
    ['no key', { keys: [{ kty: 'RSA', x5c: key.x5c }] }, 'keys[0].n: found nothing'],
    [
      'another thumbprint',
      { keys: [{ ...key, 'x5t#S256': 'AAAA' }] },
      'keys[0]["x5t#S256"]: found another thumbprint than that of x5c[0]',
    ],
    [
      'a chain in the wrong order',
      { keys: [{ ...key, x5c: [leaf, pki.root.der.toString('base64')] }] },
      'keys[0].x5c[1]: found a certificate that did not issue x5c[0]',
    ],
    [
      'a kid twice',
      { keys: [key, { ...other, kid: key.kid }] },
      'keys[1].kid: found the kid of keys[0]; allowed a kid of its own',
    ],
    ['a use that is no text', { keys: [{ ...key, use: 1 }] }, 'keys[0].use: found number; allowed a string'],
    ['no keys', { keys: [] }, 'jwks.json: found no array "keys" with at least one key'],
    ['a single key', key, 'jwks.json: found no array "keys"'],
    ['a list', [key], 'jwks.json: found a list; allowed an object'],
    ['null', null, 'jwks.json: found null; allowed an object'],
    ['a key that is none', { keys: ['a'] }, 'jwks.json: keys[0]: found string; allowed an object'],
  ])('refuses %s', (_name, set, message) => {
    expect(() => read(set)).toThrow(UsageError);
    expect(() => read(set)).toThrow(message);
    expect(() => read(set)).not.toThrow(/SECRET/);
  });

  it('says what a file that is not JSON has, without its content', () => {
    expect(() => readJwks(Buffer.from(rsa.keyPem), 'a.key')).toThrow(
      'a.key: found a private key; allowed a JSON Web Key Set',
    );
    expect(() => readJwks(Buffer.from('{"keys": SECRET'), 'a')).toThrow('a: found text that is not JSON');
  });
});
