/** `limits.certificateBytes`, and certificates that OpenSSL reads and RFC 5280 does not allow: refused, and recorded with the fields that can be read. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { manyNames } from '../support/pki/many-names.ts';
import { post } from '../support/process/client.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { visit } from '../support/revocation/site.ts';

const pki = authority();
let stage: Stage;
beforeAll(async () => {
  // On the allowlist: from other addresses limits.handshakeBytes refuses the largest of these before they are read.
  const clients = { anyCertificateOfAnchor: true, allowlist: ['127.0.0.0/8'] };
  stage = await openStage({ authority: pki, config: { clients } });
});
afterAll(() => stage[Symbol.asyncDispose]());

const thumbprint = ({ der }: Leaf) => createHash('sha256').update(der).digest('base64url');
/** OpenSSL parses this extension only on demand. */
const oddAccess = { oid: '1.3.6.1.5.5.7.1.1', value: Buffer.of(0x30, 2, 0x30, 5) };

it.each([
  ['of the anchor', pki],
  ['of an unknown CA', authority()],
])('refuses and records a certificate %s above the size limit', async (_, issuer) => {
  const leaf = issuer.issueClient({ extensions: [manyNames(1200)] });
  const { subject, serial, notAfter, spkiPin } = parseCertificate(leaf.der);
  const { status, record } = await visit(stage, leaf);
  expect({ status, ...record }).toMatchObject({
    ...{ status: 403, verdict: 'deny', reason: 'certificate_too_large', anchor: null, revocation: null },
    detail: expect.stringContaining(
      `the certificate has ${leaf.der.length} octets, more than limits.certificateBytes (8192)`,
    ),
    leaf: {
      ...{ subject, serial, thumbprint: thumbprint(leaf), spki_pin: spkiPin },
      not_after: new Date(notAfter).toISOString(),
    },
  });
  expect(leaf.der.length).toBeGreaterThan(16_384);
});

it('accepts a certificate of exactly the limit, and applies a limit that a reload lowers or raises', async () => {
  const leaf = pki.issueClient({ extensions: [manyNames(400)] });
  const { length } = leaf.der;
  expect(await visit(stage, leaf)).toMatchObject({ status: 200 });
  const limited = (certificateBytes: string) => stage.reload({ limits: { certificateBytes } });
  await limited(`${length}B`);
  await using client = await stage.connect({ leaf });
  expect(statusOf(await client.exchange(post()))).toBe(200);
  await limited(`${length - 1}B`);
  expect(await stage.gateway.next(({ type }) => type === 'verdict')).toMatchObject({
    reason: 'certificate_too_large',
    leaf: { thumbprint: thumbprint(leaf) },
  });
  expect(await visit(stage, leaf)).toMatchObject({
    status: 403,
    record: { reason: 'certificate_too_large' },
  });
  await limited('64KiB');
  const larger = pki.issueClient({ extensions: [manyNames(1200)] });
  expect(await visit(stage, larger)).toMatchObject({ status: 200, record: { verdict: 'allow' } });
  await limited('8KiB');
});

it('refuses a certificate that cannot be parsed completely, and records where parsing failed and the fields before it', async () => {
  const leaf = pki.issueClient({ extensions: [oddAccess] });
  for (let count = 0; count < 2; count++) {
    const { status, record } = await visit(stage, leaf);
    expect({ status, ...record }).toMatchObject({
      ...{ status: 403, reason: 'certificate_unreadable' },
      detail: expect.stringContaining(
        `the certificate of ${leaf.der.length} octets cannot be read: not a DER certificate: extension 1.3.6.1.5.5.7.1.1: an element that ends after its container or after the end of the data (the data may be cut off), at byte 2`,
      ),
      leaf: { thumbprint: thumbprint(leaf), serial: expect.any(String), subject: expect.any(String) },
    });
  }
});

it('parses no more of a certificate of an unknown CA than it needs to find out that the CA is unknown', async () => {
  const leaf = authority({ name: 'Elsewhere' }).issueClient({ extensions: [oddAccess] });
  const { record } = await visit(stage, leaf);
  expect(record).toMatchObject({
    reason: 'untrusted',
    leaf: { thumbprint: thumbprint(leaf), issuer: expect.stringContaining('Elsewhere') },
  });
});
