import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;
const pki = authority({ now });
const anchors = [
  { name: 'own', certificates: [pki.root, pki.issuing].map(({ der }) => parseCertificate(der)) },
];
const key = pki.issueClient().privateKey;

const leafOf = (options: Partial<IssueOptions> = {}): X509Certificate =>
  parseCertificate(pki.issueClient({ key, ...options }).der).x509;

it('returns the same verdict object for a known leaf', () => {
  const cache = new PathCache(anchors);
  const leaf = leafOf();
  const first = cache.validate(leaf, now);
  expect(first).toMatchObject({ allow: true, permit: { anchor: 'own' } });
  expect(cache.validate(leaf, now + hour)).toBe(first);
  // By the bytes of the certificate, since each connection has its own object.
  expect(cache.validate(parseCertificate(leaf.raw).x509, now)).toBe(first);
  expect(cache.size).toBe(1);
});

it('compares the dates with the clock on every use', () => {
  const cache = new PathCache(anchors);
  const leaf = leafOf({ notBefore: now - hour, notAfter: now + hour });
  expect(cache.validate(leaf, now).allow).toBe(true);
  expect(cache.validate(leaf, now + hour).allow).toBe(true);
  expect(cache.validate(leaf, now + hour + 1)).toMatchObject({ allow: false, reason: 'expired' });
  expect(cache.size).toBe(0);
  expect(cache.validate(leaf, now - hour - 1)).toMatchObject({ allow: false, reason: 'not_yet_valid' });
  // The path is valid again for a clock that was set back.
  expect(cache.validate(leaf, now).allow).toBe(true);
});

it('applies the validity of the CAs too, which may end before that of the leaf', () => {
  const made = authority({ now, issuing: { notAfter: now + hour } });
  const certificates = [made.root, made.issuing].map(({ der }) => parseCertificate(der));
  const cache = new PathCache([{ name: 'own', certificates }]);
  const leaf = parseCertificate(made.issueClient().der).x509;
  expect(cache.validate(leaf, now).allow).toBe(true);
  expect(cache.validate(leaf, now + hour + 1)).toMatchObject({ allow: false, reason: 'expired' });
});

it('stores only valid paths', () => {
  const cache = new PathCache(anchors);
  const untrusted = parseCertificate(authority({ now }).issueClient().der).x509;
  for (const leaf of [untrusted, leafOf({ hash: 'sha1' }), leafOf({ notAfter: now - 1 })]) {
    expect(cache.validate(leaf, now).allow).toBe(false);
  }
  expect(cache.size).toBe(0);
});

it('denies a leaf that OpenSSL accepts and RFC 5280 forbids', () => {
  const twice = { oid: '2.5.29.37', value: Buffer.from('300a06082b06010505070302', 'hex') };
  const { der } = issueCertificate({
    subject: { CN: 'twice' },
    issuer: pki.issuing,
    notBefore: now - hour,
    notAfter: now + hour,
    extensions: [twice, twice],
  });
  expect(new PathCache(anchors).validate(new X509Certificate(der), now)).toMatchObject({
    allow: false,
    reason: 'certificate_unreadable',
    detail: expect.stringContaining('extension 2.5.29.37 occurs twice'),
  });
});

describe('a full cache of 1,024 paths', () => {
  it('removes the least recently used one', () => {
    const cache = new PathCache(anchors);
    const leaves = Array.from({ length: 1025 }, () => leafOf());
    const verdicts = leaves.slice(0, 1024).map((leaf) => cache.validate(leaf, now));
    expect(cache.size).toBe(1024);
    const isKnown = (index: number) =>
      cache.validate(leaves[index] as X509Certificate, now) === verdicts[index];

    expect(isKnown(0)).toBe(true);
    cache.validate(leaves[1024] as X509Certificate, now);
    expect(cache.size).toBe(1024);
    // The first was used again, so the second was removed, and its new verdict removes the third.
    expect(isKnown(0)).toBe(true);
    expect(isKnown(1)).toBe(false);
    expect(isKnown(2)).toBe(false);
    expect(isKnown(1023)).toBe(true);
    expect(cache.size).toBe(1024);
  });
});

it('gives the same verdicts as validation without a cache', () => {
  const other = authority({ now });
  const leaves = [
    leafOf(),
    leafOf({ notBefore: now, notAfter: now + hour }),
    leafOf({ notBefore: now - 3 * hour, notAfter: now - 2 * hour }),
    leafOf({ keyUsage: ['keyAgreement'] }),
    parseCertificate(other.issueClient().der).x509,
  ];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: leaves.length - 1 }), fc.integer({ min: -4, max: 4 })), {
        maxLength: 30,
      }),
      (uses) => {
        const cache = new PathCache(anchors);
        for (const [index, hours] of uses) {
          const leaf = leaves[index] as X509Certificate;
          const at = now + hours * (hour / 2);
          const [cached, plain] = [
            cache.validate(leaf, at),
            validatePath(parseCertificate(leaf.raw), { anchors, now: at }),
          ];
          expect(cached.allow ? cached.permit.certificates.map(({ sha256 }) => sha256) : cached).toEqual(
            plain.allow ? plain.permit.certificates.map(({ sha256 }) => sha256) : plain,
          );
        }
      },
    ),
    { numRuns: 50 },
  );
});

it('belongs to anchors with the same names and certificates, in the same order', () => {
  const second = authority({ now, name: 'Second' });
  const named = (name: string, ...certificates: { readonly der: Uint8Array }[]) => ({
    name,
    certificates: certificates.map(({ der }) => new Uint8Array(der)),
  });
  const two = [named('one', second.root, second.issuing), named('two', second.root)];
  const cache = new PathCache(
    two.map(({ name, certificates }) => ({ name, certificates: certificates.map(parseCertificate) })),
  );
  expect(cache.isOf(structuredClone(two))).toBe(true);
  for (const others of [
    [],
    two.slice(0, 1),
    [...two, ...two.slice(1)],
    two.toReversed(),
    [named('other', second.root, second.issuing), ...two.slice(1)],
    [named('one', second.issuing, second.root), ...two.slice(1)],
    [named('one', second.root), ...two.slice(1)],
    [named('one', second.root, second.issuing, second.issuing), ...two.slice(1)],
  ])
    expect(cache.isOf(others)).toBe(false);
});
