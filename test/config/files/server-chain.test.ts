import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificate } from '../../../src/issuing/certificate.ts';
import { purposes } from '../../../src/issuing/development.ts';
import { makeKey } from '../../../src/pki/key.ts';
import { authority } from '../../support/pki/authority.ts';
import { createSite, type Site } from '../site.ts';
import { day, examineCertificate, now, pki, plain, server } from './certificates.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

const examine = (chain: string, key: string) => examineCertificate(site, chain, key);

describe('warns of', () => {
  const soon = server({ notAfter: now + 29 * day });
  const later = server({ notAfter: now + 31 * day });
  const selfSigned = issueCertificate({
    subject: { CN: 'alone' },
    notBefore: now - day,
    notAfter: now + 90 * day,
    key: makeKey('P-256'),
    sans: ['DNS:alone'],
  });

  test.each<[string, [chain: string, key: string], string[]]>([
    [
      'a missing intermediate, by name',
      [plain.pem, plain.keyPem],
      [
        'the leaf without its intermediate: CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
      ],
    ],
    [
      'a root in the chain',
      [plain.chainPem + pki.root.pem, plain.keyPem],
      ['the root CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB in the chain'],
    ],
    [
      'an expiry within 30 days',
      [soon.chainPem, soon.keyPem],
      ['CN=localhost, which expires on 2030-02-13T00:00:00Z'],
    ],
    ['nothing 31 days before the expiry', [later.chainPem, later.keyPem], []],
    ['nothing where the leaf signed itself', [selfSigned.pem, selfSigned.keyPem], []],
  ])('%s', async (_, files, expected) => {
    const { warnings, loaded } = await examine(...files);
    expect(warnings).toEqual(expected.map((found) => `listen.certificate.chain: ${found}`));
    expect(loaded).not.toBeNull();
  });
});

describe('warns of properties for which clients refuse a valid certificate', () => {
  const chain = 'listen.certificate.chain: CN=localhost,';
  const sha1Ca = authority({ now, issuing: { hash: 'sha1' } });
  const sha1 = sha1Ca.issueServer();
  test.each<[string, { chainPem: string; keyPem: string }, string[]]>([
    [
      'a client’s certificate',
      server({ extendedKeyUsage: [purposes.clientAuth] }),
      [`${chain} whose extended key usage lacks serverAuth: clients refuse it`],
    ],
    ['any purpose', server({ extendedKeyUsage: null }), []],
    [
      'a key usage only for encryption',
      server({ keyUsage: ['keyEncipherment'] }),
      [`${chain} whose key usage lacks digitalSignature: clients refuse it`],
    ],
    [
      'no name except the CN',
      server({ sans: [] }),
      [
        `${chain} without a host name or address in its subject alternative name: clients do not use the common name`,
      ],
    ],
    ['a signature with SHA-1', server({ hash: 'sha1' }), [`${chain} which has a signature with SHA-1`]],
    [
      'an issuing CA with a SHA-1 signature',
      sha1,
      [
        'listen.certificate.chain: CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB, which has a signature with SHA-1',
      ],
    ],
    [
      'a curve that few clients support',
      server({ key: 'secp256k1' }),
      [`${chain} which has an EC key on secp256k1`],
    ],
    [
      'an expiry in just under thirty days',
      server({ notAfter: now + 29 * day }),
      ['listen.certificate.chain: CN=localhost, which expires on 2030-02-13T00:00:00Z'],
    ],
  ])('%s', async (_, { chainPem, keyPem }, expected) => {
    const { problems, warnings } = await examine(chainPem, keyPem);
    expect({ problems, warnings }).toEqual({ problems: [], warnings: expected });
  });

  test('a client certificate for a host without clientAuth', async () => {
    const certificate = { chain: 'chain.pem', key: 'chain.key' };
    const routes = [{ path: '/', upstream: { url: 'https://host', tls: { certificate } } }];
    for (const [leaf, expected] of [
      [
        pki.issueClient({ extendedKeyUsage: [purposes.serverAuth] }),
        ['routes[0].upstream.tls.certificate.chain'],
      ],
      [pki.issueClient({ extendedKeyUsage: [purposes.clientAuth], sans: [] }), []],
    ] as const) {
      await site.write('chain.pem', leaf.chainPem);
      await site.write('chain.key', leaf.keyPem);
      const { warnings } = await site.examine({ routes }, now);
      const own = warnings.filter(({ path }) => path.startsWith('routes'));
      expect(own.map(({ path }) => path)).toEqual(expected);
      expect(own.map(({ found }) => found.includes('lacks clientAuth'))).toEqual(expected.map(() => true));
    }
  });
});
