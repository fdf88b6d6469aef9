import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { explainUntrusted } from '../../src/identity/untrusted-detail.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { withColons } from '../../src/pki/fingerprint.ts';
import { maskDigits } from '../../src/telemetry/card-number-mask.ts';
import { authority } from '../support/pki/authority.ts';

const pki = authority();
const anchors = [
  { name: 'first', certificates: [pki.root, pki.issuing].map(({ der }) => parseCertificate(der)) },
  {
    name: 'second',
    certificates: [authority({ name: 'Second' }).root].map(({ der }) => parseCertificate(der)),
  },
];
const explain = (der: Buffer) => explainUntrusted(parseCertificate(der), anchors);

describe('the detail for a leaf without a path', () => {
  it('says that a leaf is self-signed', () => {
    const { der } = authority().issueClient({
      issuer: undefined as never,
      subject: { CN: 'Example client' },
    });
    expect(explain(der)).toMatch(/^the leaf is self-signed: .*\. Subject: CN=Example client$/);
  });

  it('says that no anchor holds the issuing CA, and lists the anchors and the issuer’s name', () => {
    const { der } = authority({ name: 'Other' }).issueClient();
    expect(explain(der)).toMatch(
      /^no trust anchor holds .*; anchors: first, second\. Issuer: CN=Other Issuing CA,/,
    );
  });

  it('says that an anchor holds a CA of the same name with another key', () => {
    const { der } = authority().issueClient();
    const held = anchors[0]?.certificates[1];
    expect(explain(der)).toBe(
      `anchor first holds a CA of the same name with another key, which did not sign the leaf. If the CA has a new key, add its new certificate to the anchor; otherwise another CA uses the same name. CA held: serial ${withColons(held?.serial ?? '')}, SHA-256 ${withColons(held?.sha256 ?? '')}; issuer: CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB`,
    );
    expect(Buffer.byteLength(explain(der))).toBeLessThanOrEqual(512);
  });

  it('has no run of digits that the audit would mask, even if serial and SHA-256 are all digits', () => {
    const { der } = authority().issueClient();
    const held = anchors[0]?.certificates[1] as Certificate;
    const twin = { ...held, serial: '1234567890123456', sha256: '7'.repeat(64) };
    const detail = explainUntrusted(parseCertificate(der), [{ name: 'first', certificates: [twin] }]);
    expect(detail).toContain('CA held: serial 12:34:56:78:90:12:34:56, SHA-256 77:77:');
    expect(maskDigits(detail)).toBe(detail);
  });

  it('says that the CA is held, but no valid path leads from it to the root', () => {
    const lonely = [{ name: 'first', certificates: [pki.issuing].map(({ der }) => parseCertificate(der)) }];
    const leaf = parseCertificate(pki.issueClient().der);
    expect(explainUntrusted(leaf, lonely)).toMatch(
      /^anchor first holds the CA that signed the leaf, but no valid path leads from it/,
    );
  });

  it('is the detail of the denial', () => {
    const leaf = parseCertificate(authority().issueClient().der);
    expect(validatePath(leaf, { anchors, now: Date.now() })).toEqual({
      allow: false,
      reason: 'untrusted',
      detail: explainUntrusted(leaf, anchors),
    });
  });
});
