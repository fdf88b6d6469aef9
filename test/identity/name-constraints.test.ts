import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows } from '../../src/identity/name-constraints.ts';
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
  const comparisons: [string, ConstrainedName, ConstrainedName, object][] = [
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
  ];

  it.each(comparisons)('%s', (_what, base, name, expected) => {
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
