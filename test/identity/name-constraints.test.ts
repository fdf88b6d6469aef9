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
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows } from '../../src/identity/name-constraints.ts';
import { validatePath } from '../../src/identity/path.ts';
import { type Issued, type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { ConstrainedName } from '../../src/pki/name-constraints.ts';

const dns = (value: string): ConstrainedName => ({ kind: 'dns', value });
const email = (value: string): ConstrainedName => ({ kind: 'email', value });
const uri = (value: string): ConstrainedName => ({ kind: 'uri', value });
const ip = (...octets: number[]): ConstrainedName => ({ kind: 'ip', octets: Buffer.from(octets) });
const directory = (...rdns: string[]): ConstrainedName => ({
  kind: 'directory',
  canonical: rdns.map((rdn) => JSON.stringify([rdn])).join(''),
});
const other = (tag: number): ConstrainedName => ({ kind: 'other', tag });

/** Whether the name is allowed with this base as permitted subtree, and as excluded subtree. */
const judge = (base: ConstrainedName, name: ConstrainedName) => ({
  permitted: allows({ permitted: [base], excluded: [] }, name),
  excluded: allows({ permitted: [], excluded: [base] }, name),
});
const inside = { permitted: true, excluded: false };
const outside = { permitted: false, excluded: true };
/** Cannot be compared: not allowed in either case. */
const unclear = { permitted: false, excluded: false };

describe('a base and a name', () => {
  it.each<[string, ConstrainedName, ConstrainedName, object]>([
    ['a host within itself', dns('example.com'), dns('example.com'), inside],
    ['a host below', dns('example.com'), dns('a.b.example.com'), inside],
    ['a host in another case', dns('Example.COM'), dns('eXample.com'), inside],
    ['a host that only ends like it', dns('example.com'), dns('badexample.com'), outside],
    ['the host above', dns('a.example.com'), dns('example.com'), outside],
    ['a host below a base with a dot', dns('.example.com'), dns('a.example.com'), inside],
    ['the host of a base with a dot', dns('.example.com'), dns('example.com'), outside],
    ['any host within the empty base', dns(''), dns('example.com'), inside],
    ['a wildcard below', dns('example.com'), dns('*.a.example.com'), inside],
    [
      'a wildcard that reaches into the base and beyond it',
      dns('a.example.com'),
      dns('*.example.com'),
      unclear,
    ],
    ['a name that is no host', dns('example.com'), dns('a b.example.com'), unclear],
    ['a name with a dot at its end', dns('example.com'), dns('other.com.'), unclear],
    ['a base that is no host', dns('*.example.com'), dns('other.com'), unclear],

    ['a mailbox of the host', email('example.com'), email('a@EXAMPLE.com'), inside],
    ['a mailbox of a host below', email('example.com'), email('a@b.example.com'), outside],
    ['a mailbox of a host in the domain', email('.example.com'), email('a@b.example.com'), inside],
    ['a mailbox of the domain itself', email('.example.com'), email('a@example.com'), outside],
    ['the mailbox', email('a@example.com'), email('a@Example.com'), inside],
    ['the mailbox in another case', email('a@example.com'), email('A@example.com'), outside],
    ['another mailbox of the host', email('a@example.com'), email('b@example.com'), outside],
    [
      'a mailbox whose local part holds a host',
      email('example.com'),
      email('"x@example.com"@evil.org'),
      unclear,
    ],
    ['an address with two @', email('example.com'), email('a@evil.org@example.com'), unclear],
    [
      'an address with two @ in a domain',
      email('.example.com'),
      email('a@b.example.com@c.example.com'),
      unclear,
    ],
    ['an address with a space', email('example.com'), email('a b@example.com'), unclear],
    ['an address with a NUL', email('example.com'), email('a\0@example.com'), unclear],
    ['an address beyond ASCII, which is read as empty', email('example.com'), email(''), unclear],
    ['a base with two @', email('a@b@example.com'), email('a@example.com'), unclear],
    ['an address without a mailbox', email('example.com'), email('example.com'), unclear],
    ['an address without a local part', email('example.com'), email('@example.com'), unclear],
    ['an address at an IP address', email('example.com'), email('a@[192.0.2.1]'), unclear],
    ['a base that is no address', email('a@.example.com'), email('a@b.example.com'), unclear],

    ['a URI of the host', uri('example.com'), uri('https://EXAMPLE.com:8443/x?y#z'), inside],
    ['a URI with user information', uri('example.com'), uri('https://a:b@example.com/'), unclear],
    ['a URI with a colon in its path', uri('example.com'), uri('https://example.com/a:b'), unclear],
    ['a URI with a colon behind its port', uri('example.com'), uri('https://example.com:443/a:b'), inside],
    ['a URI with a query and no path', uri('example.com'), uri('https://example.com?a'), unclear],
    ['a URI of a host below', uri('example.com'), uri('https://a.example.com/'), outside],
    ['a URI of a host in the domain', uri('.example.com'), uri('ldap://a.example.com'), inside],
    ['a URI with the host elsewhere', uri('example.com'), uri('https://evil.org/@example.com'), outside],
    ['a URI with the host as a user', uri('example.com'), uri('https://example.com@evil.org/'), unclear],
    ['a URI without an authority', uri('example.com'), uri('urn:example.com'), unclear],
    ['a URI at an IPv4 address', uri('example.com'), uri('https://192.0.2.1/'), unclear],
    ['a URI at an IPv6 address', uri('example.com'), uri('https://[2001:db8::1]/'), unclear],
    [
      'a URI that browsers read otherwise',
      uri('example.com'),
      uri('https://evil.org\\@example.com/'),
      unclear,
    ],
    ['a base that is a URI', uri('https://example.com/'), uri('https://example.com/'), unclear],

    ['an address in the network', ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 2, 200), inside],
    ['an address beside it', ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 3, 200), outside],
    ['an address under a mask with holes', ip(10, 0, 0, 1, 255, 0, 0, 255), ip(10, 9, 8, 1), inside],
    ['an address in no network of its family', ip(...Array(32).fill(0)), ip(192, 0, 2, 1), outside],
    ['an address in the whole of IPv6', ip(...Array(32).fill(0)), ip(...Array(16).fill(9)), inside],
    ['an address that is none', ip(192, 0, 2, 0, 255, 255, 255, 0), ip(192, 0, 2), unclear],
    ['a network without a mask', ip(192, 0, 2, 1), ip(192, 0, 2, 1), unclear],

    ['a name below', directory('C=gb', 'O=x'), directory('C=gb', 'O=x', 'CN=y'), inside],
    ['the name itself', directory('C=gb'), directory('C=gb'), inside],
    ['the name above', directory('C=gb', 'O=x'), directory('C=gb'), outside],
    ['its RDNs in another order', directory('C=gb', 'O=x'), directory('O=x', 'C=gb'), outside],
    ['every name within the empty one', directory(), directory('C=gb'), inside],

    ['a name without the accents of the base', directory('O=\u00dc'), directory('O=U'), outside],
    ['a kind that is not compared', other(0xa0), other(0xa0), unclear],
  ])('%s', (_what, base, name, expected) => {
    expect(judge(base, name)).toEqual(expected);
  });

  it('that are equal to some readers only are not permitted, and are excluded', () => {
    const base: ConstrainedName = { kind: 'directory', canonical: '["O=\u00fc"]', exact: '["O=\u00dc"]' };
    const name: ConstrainedName = { kind: 'directory', canonical: '["O=\u00fc"]' };
    expect(judge(base, name)).toEqual(unclear);
    expect(judge(base, base)).toEqual(inside);
  });

  it('never allow a name that cannot be read', () => {
    const unreadable: ConstrainedName = { kind: 'unreadable' };
    for (const base of [dns('example.com'), directory('C=gb'), other(0xa0)])
      expect(judge(base, unreadable)).toEqual(unclear);
  });

  it('do not apply to names of other kinds', () => {
    for (const [base, name] of [
      [dns('example.com'), email('a@evil.org')],
      [directory('C=gb'), dns('evil.org')],
      [other(0xa0), other(0x88)],
    ] as const)
      expect(judge(base, name)).toEqual({ permitted: true, excluded: true });
  });
});

describe('several bases', () => {
  it('permit a name that any one of them permits, and exclude a name that any one excludes', () => {
    const permitted = [dns('a.example'), dns('b.example')];
    const excluded = [dns('x.b.example')];
    const names = ['a.example', 'y.b.example', 'x.b.example', 'c.example'];
    expect(names.map((name) => allows({ permitted, excluded }, dns(name)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('never both permit and exclude a name', () => {
    const host = fc.array(fc.constantFrom('a', 'b', '*', ''), { maxLength: 4 }).map((each) => each.join('.'));
    const name = fc.oneof(
      host.map(dns),
      host.map((at) => email(`m@${at}`)),
      host.map((at) => uri(`s://${at}/`)),
    );
    fc.assert(
      fc.property(name, name, (base, presented) => {
        const { permitted, excluded } = judge(base, presented);
        if (base.kind === presented.kind) expect(permitted && excluded).toBe(false);
        else expect(permitted && excluded).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

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
