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
/** As each connection has an object of its own. */
const shown = ({ der }: Issued) => new X509Certificate(der);

describe('a certificate that is shown', () => {
  it('is read once, whoever asks and on whichever connection', () => {
    const reader = new LeafReader();
    const leaf = pki.issueClient();
    const reading = reader.read(shown(leaf));
    const [enforced, rehearsed] = [new PathCache(anchors, reader), new PathCache([], reader)];
    const verdict = enforced.validate(shown(leaf), now);
    expect(rehearsed.validate(shown(leaf), now)).toMatchObject({ reason: 'untrusted' });
    expect(reader.read(shown(leaf))).toBe(reading);
    expect(reading.ok && verdict.allow && verdict.permit.certificates[0] === reading.certificate).toBe(true);
  });

  it('is refused by its size before it is read', () => {
    const leaf = pki.issueClient({ extensions: [manyNames(1200)] });
    expect(new LeafReader(leaf.der.length).read(shown(leaf)).ok).toBe(true);
    const reading = new LeafReader(leaf.der.length - 1).read(shown(leaf));
    const { subject, issuer, serial, spkiPin, thumbprint, notBefore } = parseCertificate(leaf.der);
    expect(reading).toMatchObject({
      denial: { reason: 'certificate_too_large' },
      outline: { subject, issuer, serial, spkiPin, thumbprint, notBefore },
    });
  });

  it('is told with a name too long to tell in its size', () => {
    const leaf = pki.issueClient({ subject: { CN: 'n'.repeat(9000) } });
    expect(new LeafReader().read(shown(leaf))).toMatchObject({
      outline: { subject: expect.stringMatching(/^\(a name of 90\d\d octets\)$/) },
    });
  });

  it('is told by OpenSSL’s word where its structure cannot be read', () => {
    const leaf = pki.issueClient();
    const { subject, thumbprint } = parseCertificate(leaf.der);
    // A validity off UTC: OpenSSL reads it, and would refuse the path.
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

  it('is no longer remembered after 256 others', () => {
    const reader = new LeafReader();
    const leaf = pki.issueClient();
    const first = reader.read(shown(leaf));
    const { privateKey: key } = leaf;
    for (let count = 0; count < 255; count++) reader.read(shown(pki.issueClient({ key })));
    expect(reader.read(shown(leaf))).toBe(first);
    reader.read(shown(pki.issueClient({ key })));
    expect(reader.read(shown(leaf))).not.toBe(first);
  });
});

it('a refusal that time does not change is given again as it is, and one by the clock is not', () => {
  const cache = new PathCache(anchors);
  const stranger = authority({ now }).issueClient();
  const refusal = cache.validate(shown(stranger), now);
  expect(refusal).toMatchObject({ reason: 'untrusted' });
  expect(cache.validate(shown(stranger), now + 1000)).toBe(refusal);
  const early = pki.issueClient({ notBefore: now + 1000 });
  expect(cache.validate(shown(early), now)).toMatchObject({ reason: 'not_yet_valid' });
  expect(cache.validate(shown(early), now + 1000).allow).toBe(true);
});

it('a path that passed vouches for no other spelling of the signature: the twin’s is verified anew', () => {
  const cache = new PathCache(anchors);
  const leaf = pki.issueClient();
  const verdict = cache.validate(shown(leaf), now);
  const twin = cache.validate(shown(twinOf(leaf)), now);
  expect(twin).toMatchObject({ allow: true });
  expect(twin).not.toBe(verdict);
  const forged = Buffer.from(leaf.der);
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
  expect(cache.validate(new X509Certificate(forged), now)).toMatchObject({ reason: 'untrusted' });
});
