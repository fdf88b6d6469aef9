import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AttributeTypeAndValue,
  AttributeValue,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  Name,
  NameConstraints,
  RelativeDistinguishedName,
} from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { validatePath } from '../../src/identity/path.ts';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';

describe('the name constraints of a CA on a path', () => {
  const now = Date.UTC(2026, 0, 15, 12);
  const span = { notBefore: now - 3_600_000, notAfter: now + 3_600_000 };
  const ca = (options: Partial<IssueOptions> & Pick<IssueOptions, 'subject'>) =>
    issueCertificate({
      ...span,
      basicConstraints: { ca: true },
      keyUsage: ['keyCertSign'],
      ...options,
    });
  const subtrees = (names: readonly GeneralName[] = []) =>
    names.length === 0 ? undefined : new GeneralSubtrees(names.map((base) => new GeneralSubtree({ base })));
  const constrained = (options: {
    permitted?: GeneralName[];
    excluded?: GeneralName[];
    critical?: boolean;
  }) => {
    const permittedSubtrees = subtrees(options.permitted);
    const excludedSubtrees = subtrees(options.excluded);
    const value = new NameConstraints({
      ...(permittedSubtrees && { permittedSubtrees }),
      ...(excludedSubtrees && { excludedSubtrees }),
    });
    const der = Buffer.from(AsnConvert.serialize(value));
    return { extensions: [{ oid: '2.5.29.30', critical: options.critical ?? true, value: der }] };
  };
  const outcome = (leaf: Issued, ...held: Issued[]) => {
    const certificates = held.map(({ der }) => parseCertificate(der));
    const verdict = validatePath(parseCertificate(leaf.der), {
      anchors: [{ name: 'own', certificates }],
      now,
    });
    return verdict.allow ? 'own' : verdict.reason;
  };
  const leafOf = (issuer: Issued, options: Partial<IssueOptions> = {}) =>
    issueCertificate({ ...span, subject: { O: 'Example', CN: 'client' }, issuer, ...options });
  const hosts = [new GeneralName({ dNSName: 'example.com' })];
  const root = ca({ subject: { CN: 'root' } });

  it.each([true, false])('apply below the CA, critical: %s', (critical) => {
    const issuing = ca({
      subject: { CN: 'issuing' },
      issuer: root,
      ...constrained({ permitted: hosts, critical }),
    });
    const judged = (sans: string[]) => outcome(leafOf(issuing, { sans }), root, issuing);
    expect(judged(['DNS:a.example.com', 'email:a@evil.org'])).toBe('own');
    expect(judged(['DNS:a.example.com', 'DNS:evil.org'])).toBe('name_constraints');
    expect(outcome(leafOf(issuing), root, issuing)).toBe('own');
  });

  it('apply to a leaf’s common name that is a host name, unless an alternative name is a host name', () => {
    const issuing = ca({
      subject: { CN: 'issuing.evil.org' },
      issuer: root,
      ...constrained({ permitted: hosts }),
    });
    const judged = (CN: string, sans?: string[]) =>
      outcome(leafOf(issuing, { subject: { CN }, ...(sans && { sans }) }), root, issuing);
    expect(judged('a.example.com')).toBe('own');
    expect(judged('a.evil.org')).toBe('name_constraints');
    expect(judged('A.EVIL.org', ['email:a@evil.org'])).toBe('name_constraints');
    expect(judged('*.evil.org')).toBe('name_constraints');
    expect(judged('a.evil.org', ['DNS:a.example.com'])).toBe('own');
    // Common names that are not host names of two labels: Thredd's is a UUID.
    for (const other of [
      'evil',
      '6c8d7a5e-4f0e-4f0b-9a7c-2d8e1b3a4f5c',
      'evil org',
      '-a.evil.org',
      'a..evil.org',
    ])
      expect(judged(other), other).toBe('own');
    // The rule applies to the leaf only: CAs are not hosts.
    const below = ca({ subject: { CN: 'below.evil.org' }, issuer: issuing });
    expect(outcome(leafOf(below), root, issuing, below)).toBe('own');
  });

  it('are compared with a limited number of names', () => {
    const many = Array.from({ length: 512 }, (_, at) => new GeneralName({ dNSName: `${at}.example.com` }));
    const issuing = ca({ subject: { CN: 'issuing' }, issuer: root, ...constrained({ permitted: many }) });
    const judged = (count: number) => {
      const sans = Array.from({ length: count }, (_, at) => `DNS:a.${at % 512}.example.com`);
      const leaf = parseCertificate(leafOf(issuing, { sans }).der);
      const certificates = [root, issuing].map(({ der }) => parseCertificate(der));
      return validatePath(leaf, { anchors: [{ name: 'own', certificates }], now });
    };
    // The subject is a name too: 128 × 512 = 65,536 comparisons are made, one name more is denied.
    expect(judged(127).allow).toBe(true);
    expect(judged(128)).toMatchObject({
      allow: false,
      reason: 'name_constraints',
      detail: expect.stringContaining(
        '129 names and CN=issuing 512 name constraints: more than 65536 comparisons',
      ),
    });
  });

  it.each([
    ['are an empty sequence', '3000'],
    ['have an empty permitted subtree', '3002a000'],
    ['have an empty excluded subtree', '3002a100'],
    ['have an empty subtree beside another', '3009a0053003820161a100'],
    ['hold a network without its mask', '300aa00830068704c0000201'],
  ])('make the CA unusable if they %s', (_what, hex) => {
    const extensions = [{ oid: '2.5.29.30', critical: true, value: Buffer.from(hex, 'hex') }];
    const issuing = ca({ subject: { CN: 'issuing' }, issuer: root, extensions });
    const certificates = [root, issuing].map(({ der }) => parseCertificate(der));
    expect(
      validatePath(parseCertificate(leafOf(issuing).der), { anchors: [{ name: 'own', certificates }], now }),
    ).toMatchObject({
      reason: 'untrusted',
      detail:
        'CN=issuing signed CN=client,O=Example, but has extensions that the gateway does not process: 2.5.29.30',
    });
  });

  it('apply in a root too, to the leaf and to the intermediates', () => {
    const names = new Name([
      new RelativeDistinguishedName([
        new AttributeTypeAndValue({
          type: '2.5.4.10',
          value: new AttributeValue({ printableString: 'EXAMPLE ' }),
        }),
      ]),
    ]);
    const top = ca({
      subject: { CN: 'top' },
      ...constrained({ permitted: [new GeneralName({ directoryName: names })] }),
    });
    const good = ca({ subject: { O: 'Example', CN: 'issuing' }, issuer: top });
    const bad = ca({ subject: { O: 'Other', CN: 'issuing' }, issuer: top });
    expect(outcome(leafOf(good), top, good)).toBe('own');
    expect(outcome(leafOf(bad), top, bad)).toBe('name_constraints');
    expect(outcome(leafOf(good, { subject: { O: 'Other', CN: 'client' } }), top, good)).toBe(
      'name_constraints',
    );
  });

  it('apply to an e-mail address in the subject as to one in the alternative names', () => {
    const issuing = ca({
      subject: { CN: 'issuing' },
      issuer: root,
      ...constrained({ excluded: [new GeneralName({ rfc822Name: 'example.com' })] }),
    });
    const subject = (address: string) =>
      new Name([
        new RelativeDistinguishedName([
          new AttributeTypeAndValue({
            type: '1.2.840.113549.1.9.1',
            value: new AttributeValue({ ia5String: address }),
          }),
        ]),
      ]);
    const judged = (address: string) =>
      outcome(leafOf(issuing, { subject: subject(address) }), root, issuing);
    expect(judged('a@example.com')).toBe('name_constraints');
    expect(judged('a@example.org')).toBe('own');
    const utf8 = new Name([
      new RelativeDistinguishedName([
        new AttributeTypeAndValue({
          type: '1.2.840.113549.1.9.1',
          value: new AttributeValue({ utf8String: 'a@example.org' }),
        }),
      ]),
    ]);
    // Not an IA5String: OpenSSL does not compare it.
    expect(outcome(leafOf(issuing, { subject: utf8 }), root, issuing)).toBe('name_constraints');
    expect(outcome(leafOf(root, { subject: utf8 }), root)).toBe('own');
  });

  it('do not apply to a CA’s certificate for its own new key, but to a leaf of the same name', () => {
    const elsewhere = new GeneralName({ directoryName: new Name([]) });
    const old = ca({
      subject: { O: 'Example', CN: 'issuing' },
      issuer: root,
      ...constrained({ excluded: [elsewhere] }),
    });
    const renewed = ca({ subject: old.subject, issuer: old });
    const bare = leafOf(renewed, { subject: new Name([]) });
    expect(outcome(bare, root, old, renewed)).toBe('own');
    expect(outcome(leafOf(old, { subject: old.subject }), root, old)).toBe('name_constraints');
  });

  it('on one path do not prevent another path', () => {
    const key = ca({ subject: { CN: 'issuing' }, issuer: root });
    const narrow = ca({
      subject: key.subject,
      issuer: root,
      key: key.privateKey,
      ...constrained({ excluded: hosts }),
    });
    const leaf = leafOf(key, { sans: ['DNS:example.com'] });
    expect(outcome(leaf, root, narrow)).toBe('name_constraints');
    expect(outcome(leaf, root, narrow, key)).toBe('own');
  });
});
