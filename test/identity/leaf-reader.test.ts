import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LeafReader } from '../../src/identity/leaf-reader.ts';
import { PathCache } from '../../src/identity/path-cache.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { derElement } from '../../src/pki/der-cursor.ts';
import { authority, type Issued } from '../support/pki/authority.ts';
import { manyNames } from '../support/pki/many-names.ts';
import { twinOf } from '../support/pki/twin.ts';

const now = Date.UTC(2026, 0, 15, 12);
const pki = authority({ now });
const anchors = [
  { name: 'own', certificates: [pki.root, pki.issuing].map(({ der }) => parseCertificate(der)) },
];
/** A new object, as on each connection. */
const presented = ({ der }: Issued) => new X509Certificate(der);

describe('a certificate that a client presents', () => {
  it('is parsed once for all connections and policies', () => {
    const reader = new LeafReader();
    const leaf = pki.issueClient();
    const reading = reader.read(presented(leaf));
    const [enforced, shadow] = [new PathCache(anchors, reader), new PathCache([], reader)];
    const verdict = enforced.validate(presented(leaf), now);
    expect(shadow.validate(presented(leaf), now)).toMatchObject({ reason: 'untrusted' });
    expect(reader.read(presented(leaf))).toBe(reading);
    expect(reading.ok && verdict.allow && verdict.permit.certificates[0] === reading.certificate).toBe(true);
  });

  it('is refused for its size before it is parsed', () => {
    const leaf = pki.issueClient({ extensions: [manyNames(1200)] });
    expect(new LeafReader(leaf.der.length).read(presented(leaf)).ok).toBe(true);
    const reading = new LeafReader(leaf.der.length - 1).read(presented(leaf));
    const { subject, issuer, serial, spkiPin, thumbprint, notBefore } = parseCertificate(leaf.der);
    expect(reading).toMatchObject({
      denial: { reason: 'certificate_too_large' },
      outline: { subject, issuer, serial, spkiPin, thumbprint, notBefore },
    });
  });

  it('is described without a name that is too long', () => {
    const leaf = pki.issueClient({ subject: { CN: 'n'.repeat(9000) } });
    expect(new LeafReader().read(presented(leaf))).toMatchObject({
      outline: { subject: expect.stringMatching(/^\(a name of 90\d\d octets\)$/) },
    });
  });

  it('is described as OpenSSL reads it if its structure cannot be parsed', () => {
    const leaf = pki.issueClient();
    const { subject, thumbprint } = parseCertificate(leaf.der);
    // A validity that is not in UTC: OpenSSL can read it, and rejects the path.
    const z = leaf.der.indexOf(derElement(0x17, Buffer.from('2')).subarray(0, 1), 60);
    const odd = Buffer.from(leaf.der);
    odd.write('A', z + 2 + 12);
    const reading = new LeafReader().read(new X509Certificate(odd));
    expect(reading).toMatchObject({
      denial: { reason: 'certificate_unreadable', detail: expect.stringContaining('no valid time in UTC') },
      outline: { spkiPin: null, serial: parseCertificate(leaf.der).serial },
    });
    expect(!reading.ok && reading.outline.subject).toBe(subject);
    expect(!reading.ok && reading.outline.thumbprint).not.toBe(thumbprint);
  });

  it('is parsed again after 256 others', () => {
    const reader = new LeafReader();
    const leaf = pki.issueClient();
    const first = reader.read(presented(leaf));
    const { privateKey: key } = leaf;
    for (let count = 0; count < 255; count++) reader.read(presented(pki.issueClient({ key })));
    expect(reader.read(presented(leaf))).toBe(first);
    reader.read(presented(pki.issueClient({ key })));
    expect(reader.read(presented(leaf))).not.toBe(first);
  });
});

it('a denial that does not depend on time is returned again, and one that does is not', () => {
  const cache = new PathCache(anchors);
  const untrusted = authority({ now }).issueClient();
  const denial = cache.validate(presented(untrusted), now);
  expect(denial).toMatchObject({ reason: 'untrusted' });
  expect(cache.validate(presented(untrusted), now + 1000)).toBe(denial);
  const early = pki.issueClient({ notBefore: now + 1000 });
  expect(cache.validate(presented(early), now)).toMatchObject({ reason: 'not_yet_valid' });
  expect(cache.validate(presented(early), now + 1000).allow).toBe(true);
});

it('a cached path does not count for another encoding of the same signature, which is verified again', () => {
  const cache = new PathCache(anchors);
  const leaf = pki.issueClient();
  const verdict = cache.validate(presented(leaf), now);
  const twin = cache.validate(presented(twinOf(leaf)), now);
  expect(twin).toMatchObject({ allow: true });
  expect(twin).not.toBe(verdict);
  const forged = Buffer.from(leaf.der);
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
  expect(cache.validate(new X509Certificate(forged), now)).toMatchObject({ reason: 'untrusted' });
});
