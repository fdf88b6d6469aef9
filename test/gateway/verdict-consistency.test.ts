/** One verdict on a certificate: on a full handshake and a resumed one, with CA names and without, in shadow and enforced. */
import { AsnConvert } from '@peculiar/asn1-schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Issued, issueCertificate } from '../../src/issuing/certificate.ts';
import { purposes } from '../../src/issuing/development.ts';
import { makeKey } from '../../src/pki/key.ts';
import { statusOf } from '../support/http/http.ts';
import { type Authority, authority } from '../support/pki/authority.ts';
import { rawCertificate, rawName, rawPem } from '../support/pki/raw-certificate.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const serverOnly = { extendedKeyUsage: [purposes.serverAuth] };
const extension = (oid: string, hex: string) => ({ oid, value: Buffer.from(hex, 'hex') });
/** Permitted: example.com. */
const hosts = extension('2.5.29.30', `3011a00f300d820b${Buffer.from('example.com').toString('hex')}`);

const good = authority();
const issuingForServers = authority({ name: 'Issuing', issuing: serverOnly });
const rootForServers = authority({ name: 'Root', root: serverOnly });
const ofHosts = authority({ name: 'Hosts', issuing: { extensions: [hosts] } });
const others = { issuing: issuingForServers, root: rootForServers, hosts: ofHosts };

const trust = {
  anchors: [
    { name: 'example', files: ['anchor.pem'] },
    ...Object.keys(others).map((name) => ({ name, files: [`${name}.pem`] })),
  ],
  cacheDir: 'trust',
};
const files = Object.fromEntries(
  Object.entries(others).map(([name, { anchorPem }]) => [`${name}.pem`, anchorPem]),
);

const netscapeServer = extension('2.16.840.1.113730.1.1', '03020640');
const cases = [
  ['below an issuing CA for servers only', issuingForServers.issueClient(), 'wrong_purpose'],
  ['below a root for servers only', rootForServers.issueClient(), 'wrong_purpose'],
  [
    'with the Netscape certificate type server',
    good.issueClient({ extensions: [netscapeServer] }),
    'wrong_purpose',
  ],
  [
    'with anyExtendedKeyUsage alone',
    good.issueClient({ extendedKeyUsage: ['2.5.29.37.0'] }),
    'wrong_purpose',
  ],
  [
    'whose common name is a host outside the name constraints of its CA',
    ofHosts.issueClient({ subject: { O: 'Hosts', CN: 'evil.org' } }),
    'name_constraints',
  ],
  [
    'whose common name is a host inside the name constraints of its CA',
    ofHosts.issueClient({ subject: { O: 'Hosts', CN: 'a.example.com' } }),
    null,
  ],
  ['of version 1', good.issueClient({ version: 1 }), 'invalid_leaf'],
] as const;

/** One exchange on a new connection; returns its handshake record and, after a full handshake, its session. */
async function visit(stage: Stage, options: Partial<ClientOptions>) {
  await using client = await stage.connect(options);
  const answer = await client.exchange(post());
  const session = options.session ?? (await client.session());
  const { verdict, reason, detail, resumed, shadow } = await handshakeFrom(stage.gateway, client.socket);
  return { status: statusOf(answer), session, verdict, reason, detail, resumed, shadow };
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each([true, false])('with CA names: %s', (advertiseCaNames) => {
  let stage: Stage;
  beforeAll(async () => {
    const config = { listen: { advertiseCaNames }, clients: { anyCertificateOfAnchor: true }, trust };
    stage = await openStage({ authority: good, files, config });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  describe.each(versions)('on %s', (version) => {
    const only = { minVersion: version, maxVersion: version };

    it.each(cases)(
      'a leaf %s gets the same verdict on a full and a resumed handshake',
      async (_what, leaf, reason) => {
        const expected =
          reason === null ? { status: 200, verdict: 'allow' } : { status: 403, verdict: 'deny' };
        const full = await visit(stage, { ...only, leaf });
        expect(full).toMatchObject({ ...expected, reason, resumed: false });
        const again = await visit(stage, { ...only, leaf, session: full.session });
        expect(again).toMatchObject({ ...expected, reason, resumed: true });
        expect(again.detail).toBe(full.detail);
      },
    );
  });
});

/** A leaf without a key identifier: OpenSSL can choose its CA only by name. */
function plainLeaf(pki: Authority, issuer: Issued) {
  const key = makeKey('P-256');
  const now = Date.now();
  const der = rawCertificate({
    version: 3,
    serial: Buffer.of(0x4d, 1, 2, 3, issuer === pki.issuing ? 4 : 5),
    subject: rawName([
      { oid: '2.5.4.11', text: 'Example organisation' },
      { oid: '2.5.4.3', text: 'Example client' },
    ]),
    issuer: Buffer.from(AsnConvert.serialize(issuer.subject)),
    notBefore: now - 3_600_000,
    notAfter: now + 24 * 3_600_000,
    key,
    signer: issuer.privateKey,
    hash: 'sha256',
    extensions: [],
  });
  return { chainPem: rawPem(der), keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

describe.each([true, false])('two CAs of one name, with CA names: %s', (advertiseCaNames) => {
  const pki = authority();
  const now = Date.now();
  const renewed = issueCertificate({
    subject: pki.issuing.subject,
    issuer: pki.root,
    notBefore: now - 3_600_000,
    notAfter: now + 24 * 3_600_000,
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const both = [{ name: 'example', files: ['both.pem'] }];
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({
      authority: pki,
      files: { 'both.pem': pki.anchorPem + renewed.pem },
      config: {
        listen: { advertiseCaNames },
        trust: { anchors: both, candidates: both, cacheDir: 'trust' },
      },
    });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it.each(versions)(
    'accepts the leaves of both on %s, in shadow and enforced, on full and resumed handshakes',
    async (version) => {
      const only = { minVersion: version, maxVersion: version };
      for (const issuer of [pki.issuing, renewed]) {
        const leaf = plainLeaf(pki, issuer);
        const full = await visit(stage, { ...only, leaf });
        const again = await visit(stage, { ...only, leaf, session: full.session });
        for (const [result, resumed] of [
          [full, false],
          [again, true],
        ] as const)
          expect(result).toMatchObject({
            status: 200,
            verdict: 'allow',
            resumed,
            shadow: { verdict: 'allow', reasons: [], anchor: 'candidates/example' },
          });
      }
    },
  );
});
