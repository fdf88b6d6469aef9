import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import type { SignatureAlgorithm } from '../../src/jose/algorithm.ts';
import { verifyRaw } from '../../src/signature/raw-signature.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const content = Buffer.from('the body');

interface Case {
  readonly algorithm: SignatureAlgorithm;
  readonly digest: string | null;
  readonly pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly options?: object;
}

const cases: readonly Case[] = [
  { algorithm: 'RS256', digest: 'sha256', pair: rsa },
  { algorithm: 'RS384', digest: 'sha384', pair: rsa },
  { algorithm: 'RS512', digest: 'sha512', pair: rsa },
  { algorithm: 'PS256', digest: 'sha256', pair: rsa, options: pss },
  { algorithm: 'PS384', digest: 'sha384', pair: rsa, options: pss },
  { algorithm: 'PS512', digest: 'sha512', pair: rsa, options: pss },
  { algorithm: 'ES256', digest: 'sha256', pair: ec('P-256') },
  { algorithm: 'ES384', digest: 'sha384', pair: ec('P-384') },
  { algorithm: 'ES512', digest: 'sha512', pair: ec('P-521') },
  { algorithm: 'ES256', digest: 'sha256', pair: ec('P-256'), options: { dsaEncoding: 'ieee-p1363' } },
  { algorithm: 'ES384', digest: 'sha384', pair: ec('P-384'), options: { dsaEncoding: 'ieee-p1363' } },
  { algorithm: 'ES512', digest: 'sha512', pair: ec('P-521'), options: { dsaEncoding: 'ieee-p1363' } },
  { algorithm: 'EdDSA', digest: null, pair: generateKeyPairSync('ed25519') },
];

it.each(cases)('verifies $algorithm ($options), and no other content, key or algorithm', async (each) => {
  const { algorithm, digest, pair, options } = each;
  const signature = sign(digest, content, { key: pair.privateKey, ...options });
  const how = { key: pair.publicKey, algorithm };
  expect(await verifyRaw({ content, signature }, how)).toBe(true);
  expect(await verifyRaw({ content: Buffer.from('the bodY'), signature }, how)).toBe(false);
  const changed = Buffer.from(signature);
  changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
  expect(await verifyRaw({ content, signature: changed }, how)).toBe(false);
  for (const length of [0, 1, signature.length - 1])
    expect(await verifyRaw({ content, signature: signature.subarray(0, length) }, how)).toBe(false);
  for (const other of cases) {
    if (other.algorithm === algorithm) continue;
    // Also with a key of another type: what cannot be verified is false.
    const otherHow = { key: pair.publicKey, algorithm: other.algorithm };
    expect(await verifyRaw({ content, signature }, otherHow)).toBe(false);
  }
});

it('refuses a PSS signature whose salt is not as long as the digest (RFC 7518 §3.5)', async () => {
  const signature = sign('sha256', content, { key: rsa.privateKey, ...pss, saltLength: 20 });
  expect(await verifyRaw({ content, signature }, { key: rsa.publicKey, algorithm: 'PS256' })).toBe(false);
});
