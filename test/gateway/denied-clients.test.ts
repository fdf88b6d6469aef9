/** Denied clients: the page that gives no reason, and the reason in the audit. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { purposes } from '../../src/issuing/development.ts';
import { statusOf } from '../support/http/http.ts';
import { expectRefusalPage } from '../support/http/refusal-page.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const hour = 3_600_000;
/** No path length limit, so that an intermediate below the issuing CA is valid. */
const pki = authority({ issuing: { basicConstraints: { ca: true } } });
const stranger = authority({ name: 'Stranger' });
const namesake = authority({ issuing: { basicConstraints: { ca: true } } });

let stage: Stage;
/** Another one for each test: on a busy machine the handshakes of one address may cost so much that it has to wait. */
let localAddress: string;
let addresses = 0;
beforeEach(() => {
  localAddress = `127.0.1.${addresses++}`;
});
beforeAll(async () => {
  stage = await openStage({ authority: pki });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Signed by an intermediate that the anchor does not contain; the client sends the whole chain. */
function leafUnderOwnIntermediate(): Leaf {
  const now = Date.now();
  const intermediate = issueCertificate({
    subject: { CN: 'An intermediate of the client’s' },
    issuer: pki.issuing,
    notBefore: now - hour,
    notAfter: now + hour,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
  });
  const leaf = pki.issueClient({ issuer: intermediate });
  return { ...leaf, chainPem: leaf.pem + intermediate.pem + pki.issuing.pem };
}

/** A CA's own certificate, presented as a client's. */
const asLeaf = (ca: { pem: string; keyPem: string }) => ({
  keyPem: ca.keyPem,
  chainPem: ca.pem + pki.root.pem,
});

const cases: readonly {
  readonly who: string;
  readonly leaf: () => { chainPem: string; keyPem: string } | undefined;
  readonly status: 400 | 403;
  readonly reason: string;
  /** OpenSSL accepts the leaf: only the gateway's path validation or rules refuse it. */
  readonly openssl?: 'agrees';
}[] = [
  { who: 'a client without a certificate', leaf: () => undefined, status: 400, reason: 'no_certificate' },
  {
    who: 'a leaf of another CA with the same names',
    leaf: () => namesake.issueClient(),
    status: 403,
    reason: 'untrusted',
  },
  { who: 'a leaf of another CA', leaf: () => stranger.issueClient(), status: 403, reason: 'untrusted' },
  {
    who: 'a leaf of another CA that sends the anchor’s certificates along',
    leaf: () => {
      const leaf = namesake.issueClient();
      return { ...leaf, chainPem: leaf.pem + pki.issuing.pem + pki.root.pem };
    },
    status: 403,
    reason: 'untrusted',
  },
  {
    who: 'a self-signed leaf',
    leaf: () => {
      const leaf = issueCertificate({
        subject: pki.issueClient().subject,
        notBefore: Date.now() - hour,
        notAfter: Date.now() + hour,
      });
      return { ...leaf, chainPem: leaf.pem };
    },
    status: 403,
    reason: 'untrusted',
  },
  {
    who: 'a leaf under an intermediate that only the client sent',
    leaf: leafUnderOwnIntermediate,
    status: 403,
    reason: 'untrusted',
    openssl: 'agrees',
  },
  {
    who: 'an expired leaf',
    leaf: () => pki.issueClient({ notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
    status: 403,
    reason: 'expired',
  },
  {
    who: 'a leaf that is not valid yet',
    leaf: () => pki.issueClient({ notBefore: Date.now() + hour, notAfter: Date.now() + 2 * hour }),
    status: 403,
    reason: 'not_yet_valid',
  },
  {
    who: 'a leaf whose extended key usage is serverAuth alone',
    leaf: () => pki.issueClient({ extendedKeyUsage: [purposes.serverAuth] }),
    status: 403,
    reason: 'wrong_purpose',
  },
  {
    who: 'a leaf whose key may not sign',
    leaf: () => pki.issueClient({ keyUsage: ['keyEncipherment'] }),
    status: 403,
    reason: 'wrong_purpose',
  },
  { who: 'the issuing CA itself', leaf: () => asLeaf(pki.issuing), status: 403, reason: 'ca_as_leaf' },
  { who: 'the root itself', leaf: () => asLeaf(pki.root), status: 403, reason: 'ca_as_leaf' },
  {
    who: 'an RSA key of 1024 bits',
    leaf: () => pki.issueClient({ key: 'rsa-1024' }),
    status: 403,
    reason: 'weak_key',
  },
  {
    who: 'a leaf signed with SHA-1',
    leaf: () => pki.issueClient({ hash: 'sha1' }),
    status: 403,
    reason: 'weak_signature',
  },
  {
    who: 'a leaf with an unknown critical extension',
    leaf: () =>
      pki.issueClient({
        extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: true, value: Buffer.of(5, 0) }],
      }),
    status: 403,
    reason: 'unsupported_extension',
  },
  {
    who: 'a good leaf of another customer',
    leaf: () => pki.issueClient({ subject: { O: 'Example', OU: 'Another organisation', CN: 'Another' } }),
    status: 403,
    reason: 'match_mismatch',
    openssl: 'agrees',
  },
];

/** Keeps the client's own library from refusing a weak certificate. */
const lenient = { ciphers: 'DEFAULT@SECLEVEL=0' };

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  it.each(cases)(
    'refuses $who with $status, and records $reason',
    async ({ leaf, status, reason, openssl }) => {
      const client = { leaf: leaf(), minVersion: version, maxVersion: version, localAddress, ...lenient };
      const answer = await stage.send(post({ target: '/secret?card=none' }), client);
      expectRefusalPage(answer, status);
      const { handshake, message } = await refusalOf(stage.gateway, answer);
      expect(handshake).toMatchObject({
        verdict: 'deny',
        reason,
        source_address: localAddress,
        tls_version: version,
        resumed: false,
        anchor: null,
      });
      expect(handshake.openssl_code).toEqual(
        openssl === 'agrees' ? null : expect.stringMatching(/^[A-Z_]+$/),
      );
      expect(handshake.leaf === null).toBe(reason === 'no_certificate');
      expect(message).toMatchObject({ route: null, method: 'POST', path: '/secret', status });
    },
  );
});

it('fails the handshake of a key on secp256k1, a curve that the gateway does not offer', async () => {
  const leaf = stage.authority.issueClient({ key: 'secp256k1' });
  await expect(stage.connect({ leaf, localAddress, ...lenient, maxVersion: 'TLSv1.2' })).rejects.toThrow(
    /unsupported certificate/,
  );
  const record = await stage.gateway.audit(({ reason }) => reason === 'certificates_refused');
  expect(record).toMatchObject({
    verdict: 'failed',
    source_address: localAddress,
    detail: expect.stringMatching(
      /^the client sent an EC key on a curve other than P-256, P-384, P-521 in its certificate number 1 of 2\. .*clients\.allowlist/,
    ),
  });
});

it('accepts the valid leaf', async () => {
  expect(statusOf(await stage.send(post({ body: 'the one' }), { localAddress }))).toBe(200);
});

// No message of a denied client has reached the host.
afterAll(() => {
  expect(stage.host.requests.map(({ body }) => body.toString())).toEqual(['the one']);
  expect(stage.host.connectionCount).toBe(1);
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});
