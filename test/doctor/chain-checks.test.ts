/** What is said about chains that a server may send. */
import { expect, it } from 'vitest';
import { type Anchors, fileAnchors, publicAnchors } from '../../src/doctor/anchors.ts';
import { certificateChecks, chainChecks } from '../../src/doctor/chain-checks.ts';
import { readSentChain } from '../../src/doctor/sent-chain.ts';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { uri } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { derElement, tags } from '../../src/pki/der-cursor.ts';
import { derOid } from '../../src/pki/der-writer.ts';
import { authority } from '../support/pki/authority.ts';

const now = Date.now();
const day = 24 * 3_600_000;
const pki = authority({ now });
const { root, issuing } = pki;
const leaf = pki.issueServer();
const noRoots: Anchors = { kind: 'public', certificates: [], pem: [] };
const ours = fileAnchors([parseCertificate(root.der)]);

interface Sent {
  readonly ders: readonly { readonly der: Uint8Array }[];
  readonly anchors?: Anchors;
  readonly verifyError?: string | null;
}

function judge({ ders, anchors = ours, verifyError = null }: Sent) {
  const certificates = ders.map(({ der }) => parseCertificate(der));
  const chain = readSentChain(certificates, anchors);
  if (chain === null) throw new Error('no certificate');
  const checks = chainChecks({ chain, anchors, verifyError });
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

function outcomesOf(sent: Sent) {
  return Object.fromEntries(Object.entries(judge(sent)).map(([id, { outcome }]) => [id, outcome]));
}

const good = {
  ...{ 'chain-readable': 'pass', 'chain-order': 'pass', 'chain-complete': 'pass' },
  ...{ 'chain-root': 'pass', 'chain-trust': 'pass' },
};

function ca(cn: string, options: Partial<IssueOptions>) {
  return issueCertificate({
    subject: { CN: cn },
    notBefore: now - day,
    notAfter: now + 100 * day,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
    ...options,
  });
}

it('passes the leaf and its issuing CA, verified with the root', () => {
  expect(outcomesOf({ ders: [leaf, issuing] })).toEqual(good);
});

it('names a missing intermediate and where it can be downloaded, and leaves trust unjudged', () => {
  const issuers = derElement(
    tags.sequence,
    derElement(tags.sequence, derOid('1.3.6.1.5.5.7.48.2'), uri('http://ca.example/issuing.cer')),
  );
  const extensions = [{ oid: '1.3.6.1.5.5.7.1.1', value: issuers }];
  const checks = judge({
    ders: [pki.issueServer({ extensions })],
    verifyError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
  expect(checks['chain-complete']).toMatchObject({
    outcome: 'fail',
    fact: expect.stringContaining('CN=Example Issuing CA'),
    hint: expect.stringContaining('http://ca.example/issuing.cer'),
  });
  expect(checks['chain-trust']?.outcome).toBe('unknown');
});

it('calls the chain incomplete also if --ca contains the missing intermediate: clients need not have it', () => {
  const anchors = fileAnchors([parseCertificate(issuing.der), parseCertificate(root.der)]);
  expect(outcomesOf({ ders: [leaf], anchors })).toMatchObject({ 'chain-complete': 'fail' });
});

it('fails the order if an issuer does not follow its certificate', () => {
  const second = ca('Second', { issuer: root });
  const third = ca('Third', { issuer: second });
  const deep = pki.issueServer({ issuer: third });
  const checks = judge({ ders: [deep, second, third] });
  expect(checks['chain-order']).toMatchObject({
    outcome: 'fail',
    hint: expect.stringContaining('CN=localhost; then CN=Third; then CN=Second'),
  });
  expect(outcomesOf({ ders: [deep, second, third] })).toEqual({ ...good, 'chain-order': 'fail' });
});

it('warns of a root and of certificates that are not on the path', () => {
  expect(outcomesOf({ ders: [leaf, issuing, root] })).toEqual({ ...good, 'chain-root': 'warn' });
  const other = ca('Other', {});
  const checks = judge({ ders: [leaf, issuing, other] });
  expect(checks['chain-root']).toMatchObject({ outcome: 'warn', fact: expect.stringContaining('CN=Other') });
});

it('does not guess whether a private root or an intermediate is missing above an issuing CA', () => {
  const outcomes = outcomesOf({
    ders: [leaf, issuing],
    anchors: noRoots,
    verifyError: 'UNABLE_TO_GET_ISSUER_CERT',
  });
  expect(outcomes).toEqual({ ...good, 'chain-complete': 'unknown', 'chain-trust': 'fail' });
});

it('advises --ca for a private CA', () => {
  const { hint } = judge({ ders: [leaf, issuing], anchors: noRoots })['chain-trust'] ?? {};
  expect(hint).toContain('--ca');
});

it('fails trust under --ca of another CA with the same names', () => {
  const twin = authority({ now });
  const anchors = fileAnchors([parseCertificate(twin.root.der)]);
  expect(outcomesOf({ ders: [leaf, issuing], anchors })).toMatchObject({ 'chain-trust': 'fail' });
});

it('fails trust with the code of OpenSSL, but leaves dates to the check of the validity', () => {
  const sent = { ders: [leaf, issuing] };
  expect(judge({ ...sent, verifyError: 'INVALID_PURPOSE' })['chain-trust']).toMatchObject({
    outcome: 'fail',
    fact: expect.stringContaining('INVALID_PURPOSE'),
  });
  expect(outcomesOf({ ...sent, verifyError: 'CERT_HAS_EXPIRED' })['chain-trust']).toBe('unknown');
});

it('never passes trust without a verdict of OpenSSL', () => {
  const certificates = [leaf, issuing].map(({ der }) => parseCertificate(der));
  const chain = readSentChain(certificates, ours);
  if (chain === null) throw new Error('no certificate');
  const checks = chainChecks({ chain, anchors: ours, verifyError: undefined });
  expect(checks.find(({ id }) => id === 'chain-trust')?.outcome).toBe('unknown');
});

it('knows the public roots', () => {
  const { certificates, pem } = publicAnchors();
  expect(certificates.length).toBeGreaterThan(100);
  expect(pem.length).toBeGreaterThanOrEqual(certificates.length);
});

function judgeCertificates(options: Partial<IssueOptions>, expectedName = '127.0.0.1') {
  const certificates = [pki.issueServer(options), issuing].map(({ der }) => parseCertificate(der));
  const checks = certificateChecks({ certificates, expectedName, now });
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

it.each([
  ['127.0.0.1', 'pass'],
  ['::1', 'pass'],
  ['localhost', 'pass'],
  ['ehi.example.com', 'fail'],
  ['127.0.0.2', 'fail'],
])('compares the name %s with the alternative names: %s', (name, outcome) => {
  expect(judgeCertificates({}, name)['chain-name']?.outcome).toBe(outcome);
});

it('does not take the common name for a host name', () => {
  const checks = judgeCertificates({ subject: { CN: 'ehi.example.com' }, sans: [] }, 'ehi.example.com');
  expect(checks['chain-name']).toMatchObject({ outcome: 'fail', fact: expect.stringContaining('no name') });
});

it.each([
  [{ notAfter: now + 29 * day }, 'warn', '28 days left'],
  [{ notAfter: now + 40 * day }, 'pass', '39 days left'],
  [{ notAfter: now - 2000 }, 'fail', 'expired on'],
  [{ notBefore: now + 60_000 }, 'fail', 'not valid before'],
])('judges the validity %j: %s', (validity, outcome, fact) => {
  expect(judgeCertificates(validity)['chain-validity']).toMatchObject({
    outcome,
    fact: expect.stringContaining(fact),
  });
});

it.each([
  [{ key: 'rsa-1024' } as const, 'chain-key', 'an RSA key of 1024 bits'],
  [{ hash: 'sha1' } as const, 'chain-signature', 'a signature with SHA-1'],
  [{ hash: 'sha1', key: 'rsa-2048' } as const, 'chain-signature', 'a signature with SHA-1'],
])('fails %j', (options, id, fact) => {
  const checks = judgeCertificates(options);
  expect(checks[id]).toMatchObject({ outcome: 'fail', fact: expect.stringContaining(fact) });
  expect(Object.values(checks).filter(({ outcome }) => outcome === 'fail')).toHaveLength(1);
});
