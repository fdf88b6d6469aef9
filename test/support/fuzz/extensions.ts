/** Extensions for the fuzz: mostly what CAs write, sometimes what none should. */
import { derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger, derOid, type RawExtension } from '../../../src/pki/der-writer.ts';
import { rawName } from '../pki/raw-certificate.ts';
import type { Random } from '../random.ts';

export const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

/** Kinds of a GeneralName by tag, each inside and outside of what the constraints below speak of. */
type GeneralNameMaker = (random: Random) => Buffer;

const context = (tag: number, text: string | Uint8Array) => derElement(tag, Buffer.from(text));
const hosts = [
  'a.example.com',
  'example.com',
  'evil.org',
  'A.EXAMPLE.com',
  '*.example.com',
  'b.a.example.com',
] as const;
const oddHosts = [
  'a.example.com.',
  '.example.com',
  'a_b.example.com',
  '',
  'a..example.com',
  '*',
  '*.com',
  'xexample.com',
  '10.0.0.1',
  'ex\u00e4mple.com',
  'a\0.example.com',
] as const;
const mailboxes = [
  'a@example.com',
  'b@example.com',
  'a@evil.org',
  'a@b.example.com',
  'A@Example.com',
] as const;
const oddMailboxes = [
  'a',
  '@example.com',
  'a@evil.org@example.com',
  '"x@example.com"@evil.org',
  'a@',
  'a@[10.0.0.1]',
  'a\0@example.com',
  '',
] as const;
const uris = [
  'https://example.com/',
  'https://a.example.com/x',
  'https://evil.org',
  'urn:example.com',
  'https://example.com:8443/a:b',
] as const;
const oddUris = [
  'https://u@example.com/',
  'https://example.com@evil.org/',
  'https://evil.org/@example.com',
  'https://example.com?x',
  'https://10.0.0.1/',
  'https://[::1]/',
  'x',
  'https://example.com/a:b',
  'https://evil.org:443:x/',
  'HTTPS://EXAMPLE.COM',
] as const;
const addresses = [
  '0a000001',
  '0a010203',
  'c0000201',
  '20010db8000000000000000000000001',
  '0a0000',
  '',
] as const;
const networks = [
  '0a000000ff000000',
  'c0000200ffffff00',
  '0000000000000000',
  '20010db8000000000000000000000000ffffffff000000000000000000000000',
  '0a0000ff',
  '0a000000ff00ff00',
  '',
] as const;
const domains = ['example.com', '.example.com', 'evil.org', '', 'a.example.com'] as const;
const oddDomains = [
  '*.example.com',
  'https://example.com',
  'example.com.',
  '10.0.0.1',
  'a@@example.com',
  'a b',
] as const;
const organizations = [
  'Example',
  'Other',
  'EXAMPLE ',
  'Ex\u00c4mple',
  'Ex\u00e4mple',
  'Exa\u0308mple',
] as const;

function oneOf(random: Random, usual: readonly string[], odd: readonly string[]): string {
  return random.pick(random.chance(0.85) ? usual : odd);
}

export function organizationName(random: Random): Buffer {
  return rawName([
    {
      oid: oids.organization,
      text: random.pick(organizations),
      tag: random.rarely(0.2, 0x0c, [0x13, 0x14, 0x16]),
    },
  ]);
}

const alternativeNames: readonly GeneralNameMaker[] = [
  (random) => context(0x82, oneOf(random, hosts, oddHosts)),
  (random) => context(0x82, oneOf(random, hosts, oddHosts)),
  (random) => context(0x81, oneOf(random, mailboxes, oddMailboxes)),
  (random) => context(0x86, oneOf(random, uris, oddUris)),
  (random) => context(0x87, Buffer.from(random.pick(addresses), 'hex')),
  (random) => derElement(0xa4, organizationName(random)),
  (random) =>
    derElement(
      0xa0,
      derOid(random.pick(['1.3.6.1.5.5.7.8.9', '1.3.6.1.4.1.311.20.2.3'])),
      derElement(0xa0, context(0x0c, oneOf(random, mailboxes, oddMailboxes))),
    ),
  () => derElement(0x88, Buffer.of(0x2a, 3)),
];

const bases: readonly GeneralNameMaker[] = [
  (random) => context(0x82, oneOf(random, domains, oddDomains)),
  (random) => context(0x82, oneOf(random, domains, oddDomains)),
  (random) => context(0x81, oneOf(random, [...domains, ...mailboxes], [...oddDomains, ...oddMailboxes])),
  (random) => context(0x86, oneOf(random, domains, [...oddDomains, ...uris])),
  (random) => context(0x87, Buffer.from(random.pick(networks), 'hex')),
  (random) => derElement(0xa4, random.rarely(0.1, organizationName(random), [rawName([])])),
  () => derElement(0xa0, derOid('1.3.6.1.4.1.311.20.2.3'), derElement(0xa0, context(0x0c, 'a@example.com'))),
  () => derElement(0x88, Buffer.of(0x2a, 3)),
];

export function subjectAltName(random: Random): RawExtension {
  const names = random.chance(0.02) ? [] : random.several(3, alternativeNames).map((make) => make(random));
  return { oid: '2.5.29.17', critical: random.chance(0.1), value: derElement(tags.sequence, ...names) };
}

export function nameConstraints(random: Random): RawExtension {
  const subtree = () =>
    derElement(
      tags.sequence,
      random.pick(bases)(random),
      random.chance(0.02) ? derElement(0x80, Buffer.of(random.below(2))) : Buffer.alloc(0),
      random.chance(0.01) ? derElement(0x81, Buffer.of(1)) : Buffer.alloc(0),
    );
  const which = random.below(3);
  const subtrees = (tag: number) => {
    if (which === tag - 0xa0 || random.chance(0.01)) return Buffer.alloc(0);
    return derElement(
      tag,
      ...(random.chance(0.03) ? [] : random.several(3, [subtree]).map((make) => make())),
    );
  };
  const value = random.chance(0.02)
    ? Buffer.from(random.pick(['0500', '3000', '3002a000', '3004a0023000']), 'hex')
    : derElement(tags.sequence, subtrees(0xa0), subtrees(0xa1));
  return { oid: '2.5.29.30', critical: random.chance(0.7), value };
}

const purposes = {
  client: '1.3.6.1.5.5.7.3.2',
  server: '1.3.6.1.5.5.7.3.1',
  email: '1.3.6.1.5.5.7.3.4',
  any: '2.5.29.37.0',
  unknown: '1.2.3.4.5',
} as const;

export function extendedKeyUsage(random: Random): RawExtension {
  const { client, server, email, any, unknown } = purposes;
  const chosen = random.pick([
    [client],
    [client, server],
    [server],
    [any],
    [any, server],
    [email, unknown],
    [unknown, client],
    [],
  ]);
  return {
    oid: '2.5.29.37',
    critical: random.chance(0.2),
    value: derElement(tags.sequence, ...chosen.map(derOid)),
  };
}

/** `bits`: the first octet, high bit first; DER leaves out what is 0 at the end. */
function bitString(bits: number): Buffer {
  let unused = 0;
  while (unused < 8 && (bits & (1 << unused)) === 0) unused++;
  return unused === 8
    ? derElement(tags.bitString, Buffer.of(0))
    : derElement(tags.bitString, Buffer.of(unused, bits));
}

export function keyUsage(random: Random, bits: number): RawExtension {
  return { oid: '2.5.29.15', critical: random.chance(0.8), value: bitString(bits) };
}

export function netscapeCertType(random: Random): RawExtension {
  return {
    oid: '2.16.840.1.113730.1.1',
    critical: random.chance(0.2),
    value: bitString(random.pick([0x80, 0x40, 0xc0, 0x20, 0x04, 0x07, 0x00])),
  };
}

export function basicConstraints(random: Random, ca: boolean, pathLength: number | null): RawExtension {
  const value = derElement(
    tags.sequence,
    ca
      ? derElement(tags.boolean, Buffer.of(0xff))
      : random.chance(0.05)
        ? derElement(tags.boolean, Buffer.of(0))
        : Buffer.alloc(0),
    pathLength === null
      ? Buffer.alloc(0)
      : pathLength < 0
        ? derElement(tags.integer, Buffer.of(0xff))
        : derInteger(pathLength),
  );
  return { oid: '2.5.29.19', critical: random.chance(0.9), value };
}

const akiUsual = ['none', 'none', 'none', 'none', 'serial', 'both'] as const;

/** What names the issuer: null where the certificate has none. */
export function authorityKeyId(
  random: Random,
  issuer: { keyId: Buffer; name: Buffer; serial: Buffer },
): RawExtension | null {
  const kind = random.rarely(0.35, 'key', [
    ...akiUsual,
    ...akiUsual,
    'wrong serial',
    'wrong key',
    'empty',
    'malformed',
  ]);
  if (kind === 'none') return null;
  const keyId = derElement(0x80, kind === 'wrong key' ? Buffer.alloc(20, 7) : issuer.keyId);
  const serial = [
    derElement(0xa1, derElement(0xa4, issuer.name)),
    derElement(0x82, kind === 'wrong serial' ? Buffer.of(0x42) : issuer.serial),
  ];
  const fields: Record<string, Buffer[]> = {
    key: [keyId],
    serial,
    both: [keyId, ...serial],
    'wrong serial': serial,
    'wrong key': [keyId],
    empty: [],
  };
  const value = kind === 'malformed' ? Buffer.of(5, 0) : derElement(tags.sequence, ...(fields[kind] ?? []));
  return { oid: '2.5.29.35', critical: random.chance(0.005), value };
}

/** `keyId`: null for none. */
export function subjectKeyId(random: Random, keyId: Buffer | null): RawExtension | null {
  if (keyId === null) return null;
  return { oid: '2.5.29.14', critical: random.chance(0.005), value: derElement(tags.octetString, keyId) };
}

const http = derElement(0x86, Buffer.from('http://127.0.0.1/'));
const oddities: readonly ((random: Random) => RawExtension)[] = [
  (random) => ({ oid: '1.2.3.4', critical: random.chance(0.5), value: Buffer.of(5, 0) }),
  (random) => ({
    oid: '2.5.29.32',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(tags.sequence, derOid('1.2.3'))),
  }),
  (random) => ({
    oid: '2.5.29.36',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(0x80, Buffer.of(0))),
  }),
  (random) => ({ oid: '2.5.29.54', critical: random.chance(0.5), value: derInteger(0) }),
  (random) => ({
    oid: '2.5.29.33',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(tags.sequence, derOid('1.2.3'), derOid('1.2.4'))),
  }),
  (random) => ({
    oid: '1.3.6.1.5.5.7.1.1',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(tags.sequence, derOid('1.3.6.1.5.5.7.48.1'), http)),
  }),
  (random) => ({
    oid: '2.5.29.31',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(tags.sequence, derElement(0xa0, derElement(0xa0, http)))),
  }),
  (random) => ({
    oid: '2.5.29.46',
    critical: random.chance(0.5),
    value: derElement(tags.sequence, derElement(tags.sequence, derElement(0xa0, derElement(0xa0, http)))),
  }),
  (random) => ({
    oid: '1.3.6.1.5.5.7.1.8',
    critical: random.chance(0.5),
    value: Buffer.from('3007a005a0033001', 'hex'),
  }),
  (random) => ({
    oid: '1.3.6.1.5.5.7.1.8',
    critical: random.chance(0.5),
    value: Buffer.from('3007a0053003020105', 'hex'),
  }),
  (random) => ({
    oid: '1.3.6.1.5.5.7.1.14',
    critical: random.chance(0.5),
    value: Buffer.from('300c300a06082b06010505071501', 'hex'),
  }),
  (random) => ({ oid: '1.3.6.1.5.5.7.48.1.5', critical: random.chance(0.5), value: Buffer.of(5, 0) }),
  (random) => ({ oid: '2.5.29.18', critical: random.chance(0.3), value: derElement(tags.sequence, http) }),
];

export function oddity(random: Random): RawExtension {
  return random.pick(oddities)(random);
}

/** One bit of one extension flipped, or one extension twice. */
export function mutate(random: Random, extensions: readonly RawExtension[]): RawExtension[] {
  const at = random.below(extensions.length);
  const chosen = extensions[at];
  if (chosen === undefined) return [...extensions];
  if (random.chance(0.2)) return [...extensions, chosen];
  const value = Buffer.from(chosen.value);
  const octet = random.below(value.length);
  value[octet] = (value[octet] ?? 0) ^ (1 << random.below(8));
  return extensions.with(at, { ...chosen, value });
}
