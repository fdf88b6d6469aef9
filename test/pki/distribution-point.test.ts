import { AsnConvert } from '@peculiar/asn1-schema';
import type { Name } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { type Issued, issueCertificate, type Subject } from '../../src/issuing/certificate.ts';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import { derElement, tags } from '../../src/pki/der-cursor.ts';
import type { RawExtension } from '../../src/pki/der-writer.ts';
import { readCanonicalText, readGeneralNames } from '../../src/pki/distribution-point.ts';
import { directory } from '../../src/pki/general-name-text.ts';
import { distributionPoints } from '../support/revocation/crl.ts';

const now = Date.UTC(2026, 0, 15, 12);
const issue = (subject: Subject, extensions: readonly RawExtension[] = []): Issued =>
  issueCertificate({ subject, notBefore: now, notAfter: now + 1000, extensions });
const parse = (...extensions: RawExtension[]): Certificate =>
  parseCertificate(issue({ O: 'Example', CN: 'Issuing CA' }, extensions).der);
const other = issue({ O: 'Elsewhere', CN: 'CRL issuer' }).subject;
const canonicalText = (name: Name) => readCanonicalText(Buffer.from(AsnConvert.serialize(name)));
const commonName = (text: string) =>
  derElement(
    tags.sequence,
    derElement(tags.oid, Buffer.of(0x55, 0x04, 0x03)),
    derElement(0x0c, Buffer.from(text)),
  );

describe('canonical names', () => {
  const canonical = (subject: Subject) => parseCertificate(issue(subject).der).canonicalSubject;

  it('are equal regardless of case and redundant spaces', () => {
    expect(canonical({ O: ' Example  Limited', CN: 'Issuing CA' })).toBe(
      canonical({ O: 'EXAMPLE limited', CN: 'issuing ca ' }),
    );
  });

  it.each<[string, Subject, Subject]>([
    ['a value', { O: 'a', CN: 'b' }, { O: 'a', CN: 'c' }],
    ['a type', { O: 'a' }, { OU: 'a' }],
    ['an additional RDN', { O: 'a' }, { O: 'a', CN: 'b' }],
    ['a value that looks like two values', { O: ['a', 'b'] }, { O: 'a"]["2.5.4.10=b' }],
  ])('differ in %s', (_, one, another) => {
    expect(canonical(one)).not.toBe(canonical(another));
  });

  it('exist of both issuer and subject', () => {
    const { canonicalIssuer, canonicalSubject } = parse();
    expect(canonicalIssuer).toBe(canonicalSubject);
  });
});

describe('CRL distribution points', () => {
  it('are empty if the extension is absent', () => {
    expect(parse()).toMatchObject({ crlDistributionPoints: [], freshestCrl: [], ocspUrls: [] });
  });

  it('have URLs, reasons and CRL issuer', () => {
    const [first, second, ...more] = parse(
      distributionPoints([
        { urls: ['http://crl.example/a.crl', 'ldap://crl.example/b'] },
        { reasons: ['keyCompromise', 'aACompromise'], crlIssuer: other },
      ]),
    ).crlDistributionPoints;
    expect(first).toMatchObject({
      urls: ['http://crl.example/a.crl', 'ldap://crl.example/b'],
      reasons: null,
      crlIssuers: null,
    });
    expect(first?.names).toHaveLength(2);
    expect(second).toEqual({
      names: null,
      urls: [],
      reasons: 0b1_0000_0010,
      crlIssuers: [directory(canonicalText(other))],
    });
    expect(more).toEqual([]);
  });

  it('are separate from those of delta CRLs', () => {
    const extension = distributionPoints([{ urls: ['http://crl.example/delta.crl'] }], { freshest: true });
    expect(parse(extension)).toMatchObject({
      crlDistributionPoints: [],
      freshestCrl: [{ urls: ['http://crl.example/delta.crl'] }],
    });
  });

  it('complete a name relative to the issuer', () => {
    const [point] = parse(distributionPoints([{ relative: commonName('CRL 1') }])).crlDistributionPoints;
    const whole = issue({ O: 'Example', CN: ['Issuing CA', 'CRL 1'] }).subject;
    expect(point?.names).toEqual([directory(canonicalText(whole))]);
  });

  it('complete a name relative to another CRL issuer', () => {
    const [point] = parse(
      distributionPoints([{ relative: commonName('CRL 1'), crlIssuer: other }]),
    ).crlDistributionPoints;
    const whole = issue({ O: 'Elsewhere', CN: ['CRL issuer', 'CRL 1'] }).subject;
    expect(point?.names).toEqual([directory(canonicalText(whole))]);
  });

  it('are refused with a relative name and several CRL issuers', () => {
    const issuers = Buffer.concat(
      ['a', 'b'].map((text) =>
        derElement(0xa4, Buffer.from(AsnConvert.serialize(issue({ CN: text }).subject))),
      ),
    );
    const point = (...fields: Buffer[]) => ({
      oid: '2.5.29.31',
      value: derElement(tags.sequence, derElement(tags.sequence, ...fields, derElement(0xa2, issuers))),
    });
    expect(parse(point()).crlDistributionPoints[0]?.crlIssuers).toHaveLength(2);
    const relative = derElement(0xa0, derElement(0xa1, commonName('CRL 1')));
    expect(() => parse(point(relative))).toThrow(expect.objectContaining({ code: 'CERTIFICATE_UNREADABLE' }));
  });

  it.each([
    ['another element than a SEQUENCE', '0500'],
    ['bytes after it', '300000'],
    ['an unknown field', '30043002a300'],
    ['fields out of order', '300830068200810207 80'],
    ['an unknown kind of name', '300a3008a006a00489024100'],
  ])('are refused with %s', (_, value) => {
    const extension = { oid: '2.5.29.31', value: Buffer.from(value.replace(' ', ''), 'hex') };
    expect(() => parse(extension)).toThrow(expect.objectContaining({ code: 'CERTIFICATE_UNREADABLE' }));
  });
});

describe('OCSP responders', () => {
  it('are listed in their order, without other access methods', () => {
    const issuers = derElement(
      tags.sequence,
      derElement(tags.oid, Buffer.from('2b06010505073002', 'hex')),
      derElement(0x86, Buffer.from('http://ca.example/ca.cer')),
    );
    const { oid, value } = ocspResponders(['http://ocsp.example', 'https://ocsp.example/2']);
    expect(parse({ oid, value }).ocspUrls).toEqual(['http://ocsp.example', 'https://ocsp.example/2']);
    expect(parse({ oid, value: derElement(tags.sequence, issuers) }).ocspUrls).toEqual([]);
  });

  it('are listed unchanged, also if invalid, so that a report can name them', () => {
    const urls = ['http://a b', 'http://a\r\nb', 'http://é.example', 'http://good.example'];
    expect(parse(ocspResponders(urls)).ocspUrls).toEqual(urls);
  });
});

it('general names of the same kind and value are equal strings, others are not', () => {
  const uri = derElement(0x86, Buffer.from('http://a'));
  const dns = derElement(0x82, Buffer.from('http://a'));
  const name = derElement(0xa4, Buffer.from(AsnConvert.serialize(other)));
  expect(readGeneralNames(uri)).toEqual(readGeneralNames(uri));
  expect(new Set(readGeneralNames(Buffer.concat([uri, dns, name]))).size).toBe(3);
});
