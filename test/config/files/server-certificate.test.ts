import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authority } from '../../support/pki/authority.ts';
import { createSite, type Site } from '../site.ts';
import { day, examineCertificate, now, pki, plain, server } from './certificates.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const examine = (chain: string, key: string, passphraseFile?: string) =>
  examineCertificate(site, chain, key, passphraseFile);

test('accepts a leaf with its intermediate, and returns PEM for TLS and dates for the expiry metric', async () => {
  const { problems, warnings, loaded } = await examine(`a comment\n${plain.chainPem}`, plain.keyPem);
  expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
  const [certificate] = loaded?.serverCertificates ?? [];
  expect(certificate?.certificate).toEqual({ chain: plain.chainPem, key: plain.keyPem });
  expect(certificate?.chain.map(({ subject }) => subject)).toEqual([
    'CN=localhost',
    'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
  ]);
  expect(certificate?.chain[0]?.notAfter).toBe(now + 350 * day);
});

test('accepts an encrypted key with its passphrase', async () => {
  const encrypted = plain.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open',
  });
  await site.write('passphrase', 'open\n');
  const { problems, loaded } = await examine(plain.chainPem, encrypted.toString(), 'passphrase');
  expect(problems).toEqual([]);
  const [certificate] = loaded?.serverCertificates ?? [];
  const { chain, key, passphrase } = certificate?.certificate ?? { chain: '', key: '' };
  createServer({ cert: chain, key, passphrase });
});

describe('an expired certificate does not affect others:', () => {
  test('an expired certificate beside one of the other key type is a warning', async () => {
    const expired = server({ key: 'rsa-2048', notBefore: now - 2 * day, notAfter: now - 1000 });
    for (const [name, { chainPem, keyPem }] of Object.entries({ plain, expired })) {
      await site.write(`${name}.pem`, chainPem);
      await site.write(`${name}.key`, keyPem);
    }
    const certificate = ['expired', 'plain'].map((name) => ({ chain: `${name}.pem`, key: `${name}.key` }));
    const { problems, warnings } = await site.examine({ listen: { certificate } }, now);
    expect(problems).toEqual([]);
    expect(warnings).toMatchObject([
      { path: 'listen.certificate[0].chain', found: 'CN=localhost, expired on 2030-01-14T23:59:59Z' },
    ]);
  });

  test('an expired intermediate is a warning, because clients may have another path', async () => {
    const old = authority({ now, issuing: { notBefore: now - 2 * day, notAfter: now - 1000 } });
    const { chainPem, keyPem } = old.issueServer();
    const { problems, warnings } = await examine(chainPem, keyPem);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/Issuing CA.*, expired on 2030-01-14T23:59:59Z$/)]);
  });
});

describe('refuses', () => {
  const other = server();
  const rsa = server({ key: 'rsa-2048' });
  const encrypted = plain.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' })
    .toString();
  const expired = server({ notBefore: now - 2 * day, notAfter: now - 1000 });
  const early = server({ notBefore: now + 1000, notAfter: now + 90 * day });
  const edwards = server({ key: 'ed25519' });
  const key = 'listen.certificate.key';
  const chain = 'listen.certificate.chain';
  const issuing = 'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB';

  test.each<[string, [chain: string, key: string], string[]]>([
    [
      'the key of another certificate',
      [plain.chainPem, other.keyPem],
      [`${key}: a key of another certificate`],
    ],
    ['a key of another type', [plain.chainPem, rsa.keyPem], [`${key}: a key of another certificate`]],
    [
      'the issuing CA before the leaf',
      [pki.issuing.pem + plain.pem, plain.keyPem],
      [
        `${chain}: CN=localhost after ${issuing}, which it did not issue`,
        `${key}: the key of certificate 2 of the chain`,
      ],
    ],
    [
      'a certificate that did not issue the one before it',
      [plain.pem + other.pem, plain.keyPem],
      [`${chain}: CN=localhost after CN=localhost, which it did not issue`],
    ],
    [
      'a CA of the same name and another key',
      [plain.pem + authority({ now }).issuing.pem, plain.keyPem],
      [`${chain}: ${issuing} after CN=localhost, which it did not issue`],
    ],
    [
      'an expired leaf',
      [expired.chainPem, expired.keyPem],
      [`${chain}: CN=localhost, expired on 2030-01-14T23:59:59Z`],
    ],
    [
      'a leaf that is not valid yet',
      [early.chainPem, early.keyPem],
      [`${chain}: CN=localhost, not valid before 2030-01-15T00:00:01Z`],
    ],
    ['an unsupported key type', [edwards.chainPem, edwards.keyPem], [`${key}: a key of type ed25519`]],
    [
      'a chain that is not PEM',
      ['hello', plain.keyPem],
      [`${chain}: chain.pem: neither a DER certificate nor PEM with a CERTIFICATE block`],
    ],
    [
      'an empty chain',
      ['', plain.keyPem],
      [`${chain}: chain.pem: neither a DER certificate nor PEM with a CERTIFICATE block, but an empty file`],
    ],
    [
      'a private key in the chain',
      [plain.pem + plain.keyPem, plain.keyPem],
      [
        `${chain}: chain.pem: PEM block 2 (line ${plain.pem.split('\n').length}) is a private key; only certificates are allowed`,
      ],
    ],
    ['a key that is no PEM', [plain.chainPem, 'hello'], [`${key}: no private key in PEM in chain.key`]],
    [
      'a certificate as the key',
      [plain.chainPem, plain.pem],
      [`${key}: no private key in PEM in chain.key, but a certificate`],
    ],
    [
      'a damaged key',
      [plain.chainPem, plain.keyPem.replace(/\nM.{20}/, '\nM')],
      [`${key}: a private key in chain.key that cannot be read`],
    ],
    [
      'an encrypted key without a passphrase',
      [plain.chainPem, encrypted],
      [`${key}: an encrypted key in chain.key and no passphraseFile`],
    ],
  ])('%s', async (_, files, expected) => {
    const { problems, loaded } = await examine(...files);
    expect(problems.toSorted()).toEqual(expected);
    expect(loaded).toBeNull();
  });

  test.each<[string, string | null, string]>([
    ['a wrong passphrase', 'shut', 'a passphrase that does not open the key'],
    ['an empty passphrase file', '\n', 'an empty file'],
    ['a missing passphrase file, without its name', null, 'a file that cannot be read (ENOENT)'],
  ])('%s', async (_, passphrase, found) => {
    if (passphrase !== null) await site.write('wrong', passphrase);
    const { problems } = await examine(plain.chainPem, encrypted, passphrase === null ? 'absent' : 'wrong');
    expect(problems).toEqual([`listen.certificate.passphraseFile: ${found}`]);
  });

  test('missing files', async () => {
    const listen = { certificate: [{ chain: 'absent.pem', key: 'absent.key' }] };
    const { problems } = await site.examine({ listen }, now);
    expect(problems.map(({ path }) => path)).toEqual([
      'listen.certificate[0].chain',
      'listen.certificate[0].key',
    ]);
  });

  test('a second certificate of the same key type, and accepts one of each', async () => {
    const files = { 'ec.pem': plain, 'ec2.pem': other, 'rsa.pem': rsa };
    for (const [name, leaf] of Object.entries(files)) {
      await site.write(name, leaf.chainPem);
      await site.write(`${name}.key`, leaf.keyPem);
    }
    const listen = (...names: string[]) => ({
      listen: { certificate: names.map((name) => ({ chain: name, key: `${name}.key` })) },
    });
    const { loaded } = await site.examine(listen('ec.pem', 'rsa.pem'), now);
    expect(loaded?.serverCertificates.map(({ keyType }) => keyType)).toEqual(['ECDSA', 'RSA']);
    const { problems } = await site.examine(listen('ec.pem', 'rsa.pem', 'ec2.pem'), now);
    expect(problems).toMatchObject([
      { path: 'listen.certificate[2].chain', found: 'a second ECDSA certificate' },
    ]);
  });
});

test('refuses a key of 1024 bits, because OpenSSL would refuse it at the start', async () => {
  const weak = server({ key: 'rsa-1024' });
  const { problems, loaded } = await examine(weak.chainPem, weak.keyPem);
  expect(problems).toEqual([
    'listen.certificate.chain: a certificate or key that OpenSSL refuses (ERR_SSL_EE_KEY_TOO_SMALL)',
  ]);
  expect(loaded).toBeNull();
});
