/** Hierarchies of CAs and leaves below them for the fuzz: most fields as CAs write them, each now and then otherwise. */
import type { KeyObject } from 'node:crypto';
import type { RawExtension } from '../../../src/pki/der-writer.ts';
import { makeKey } from '../../../src/pki/key.ts';
import { rawCertificate, rawKeyId, rawName } from '../pki/raw-certificate.ts';
import type { Random } from '../random.ts';
import {
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  mutate,
  nameConstraints,
  netscapeCertType,
  oddity,
  oids,
  organizationName,
  subjectAltName,
  subjectKeyId,
} from './extensions.ts';

export interface Ca {
  readonly key: KeyObject;
  /** What certificates below name the key by. */
  readonly keyId: Buffer;
  /** DER. */
  readonly name: Buffer;
  readonly serial: Buffer;
  readonly der: Buffer;
}

export interface Chain {
  readonly leaf: Buffer;
  readonly key: KeyObject;
  /** DER of what the client sends along. */
  readonly along: readonly Buffer[];
  readonly version: 'TLSv1.2' | 'TLSv1.3';
}

/** Made once: they take longer than everything else. */
const caKeys = [...Array.from({ length: 10 }, () => makeKey('P-256')), makeKey('P-384')];
const weakKeys = [makeKey('rsa-1024'), makeKey('secp256k1')];
const leafKeys = [makeKey('P-256'), makeKey('P-256'), makeKey('P-384'), makeKey('rsa-2048')];

const hour = 3_600_000;
const keyCertSign = 0x04;
const cRLSign = 0x02;
const digitalSignature = 0x80;

function validity(random: Random, now: number): { notBefore: number; notAfter: number } {
  const kind = random.rarely(0.015, 'sound', ['expired', 'future', 'never'] as const);
  return {
    notBefore: now + (kind === 'future' || kind === 'never' ? hour : -hour),
    notAfter: now + (kind === 'expired' || kind === 'never' ? -2000 : 24 * hour),
  };
}

function serialOf(random: Random): Buffer {
  const usual = Buffer.of(0x4d, ...Array.from({ length: 9 }, () => random.below(256)));
  return random.rarely(0.05, usual, [Buffer.of(0), Buffer.of(0xff), Buffer.of(0x7f, ...Buffer.alloc(24, 1))]);
}

interface CaOptions {
  readonly random: Random;
  readonly now: number;
  /** Null: a root. */
  readonly issuer: Ca | null;
  readonly name: Buffer;
  readonly key: KeyObject;
}

function makeCa({ random, now, issuer, name, key }: CaOptions): Ca {
  const serial = serialOf(random);
  const keyId = random.rarely(0.1, rawKeyId(key), [Buffer.alloc(20, 9)]);
  const signer = issuer ?? { key, keyId, name, serial };
  const usage = random.rarely(0.04, keyCertSign | cRLSign, [
    null,
    keyCertSign,
    digitalSignature,
    0xff,
    cRLSign,
    0,
  ]);
  const isCa = random.rarely(0.01, true, [false]);
  const pathLength = random.rarely(0.15, null, [0, 1, 1, 2, 2, 3, 3, -1]);
  const extensions: (RawExtension | null)[] = [
    random.chance(0.01) ? null : basicConstraints(random, isCa, pathLength),
    usage === null ? null : keyUsage(random, usage),
    subjectKeyId(random, random.chance(0.1) ? null : keyId),
    // What a root says of its own issuer is mostly nothing, and rarely another.
    issuer === null && random.chance(0.9) ? null : authorityKeyId(random, signer),
    random.chance(0.08) ? extendedKeyUsage(random) : null,
    random.chance(0.2) ? nameConstraints(random) : null,
    random.chance(0.04) ? netscapeCertType(random) : null,
    random.chance(0.02) ? subjectAltName(random) : null,
    random.chance(0.02) ? oddity(random) : null,
  ];
  const sound = extensions.filter((each) => each !== null);
  const der = rawCertificate({
    version: random.rarely(0.01, 3, [1]),
    serial,
    subject: name,
    issuer: signer.name,
    ...validity(random, now),
    key,
    signer: random.rarely(0.005, signer.key, [random.pick(caKeys)]),
    hash: random.rarely(0.01, 'sha256', ['sha1']),
    extensions: random.chance(0.01) ? mutate(random, sound) : sound,
  });
  return { key, keyId, name, serial, der };
}

export interface Hierarchy {
  /** One, or two of one name: each is an anchor of its own, with all CAs below. */
  readonly roots: readonly Ca[];
  readonly below: readonly Ca[];
  /** Where leaves are mostly hung: the last CA of the line, and CAs of its name. */
  readonly ends: readonly [Ca, ...Ca[]];
}

export function makeHierarchy(random: Random, now: number): Hierarchy {
  const from = random.below(caKeys.length);
  let made = 0;
  const keyOf = () => random.rarely(0.01, caKeys[(from + made++) % caKeys.length] as KeyObject, weakKeys);
  const line: [Ca, ...Ca[]] = [
    makeCa({ random, now, issuer: null, name: nameOf(random, 'Root'), key: keyOf() }),
  ];
  const depths = random.below(4);
  for (let depth = 1; depth <= depths; depth++) {
    const issuer = line[depth - 1] as Ca;
    // Some certify a new key of their own.
    const name = random.chance(0.08) ? issuer.name : nameOf(random, `CA ${depth}`);
    line.push(makeCa({ random, now, issuer, name, key: keyOf() }));
  }
  const [root, ...below] = line;
  const last = line[line.length - 1] as Ca;
  if (random.chance(0.75)) return { roots: [root], below, ends: [last] };
  // A new key under the old name, or a new certificate for the old key.
  const original = random.pick(line);
  const issuer = original === root ? random.pick([null, root]) : (line[line.indexOf(original) - 1] as Ca);
  const twin = makeCa({
    random,
    now,
    issuer,
    name: original.name,
    key: random.pick([keyOf(), original.key]),
  });
  const ends: [Ca, ...Ca[]] = original === last ? [last, twin] : [last];
  if (issuer === null)
    return {
      roots: random.pick([
        [root, twin],
        [twin, root],
      ]),
      below,
      ends,
    };
  return { roots: [root], below: below.toSpliced(random.below(line.length), 0, twin), ends };
}

function nameOf(random: Random, commonName: string): Buffer {
  return random.chance(0.3)
    ? organizationName(random)
    : rawName([
        { oid: oids.organization, text: 'Example' },
        { oid: oids.commonName, text: commonName },
      ]);
}

type Attribute = { oid: string; text: string; tag?: number };
const threddLike = [
  { oid: '2.5.4.6', text: 'GB', tag: 0x13 },
  { oid: oids.organization, text: 'Example' },
  { oid: '2.5.4.11', text: '0f8a1f7e-8a5f-4a6e-9b0e-1d2c3b4a5f6e' },
  { oid: oids.commonName, text: '6c8d7a5e-4f0e-4f0b-9a7c-2d8e1b3a4f5c' },
];
const attributes: readonly ((random: Random) => Attribute)[] = [
  (random) => ({
    oid: oids.commonName,
    text: random.pick([
      'a.example.com',
      'evil.org',
      'client',
      '*.evil.org',
      '10.0.0.1',
      'a_b.evil.org',
      'a-.evil.org',
      'evil.org\0',
      'a\0.evil.org',
      'v1.2',
    ]),
    tag: random.rarely(0.2, 0x0c, [0x13, 0x14, 0x16, 0x12]),
  }),
  (random) => ({
    oid: oids.emailAddress,
    text: random.pick(['a@example.com', 'a@evil.org', 'a@b@example.com', 'nobody']),
    tag: random.rarely(0.2, 0x16, [0x0c, 0x13]),
  }),
  (random) => ({
    oid: oids.organization,
    text: random.pick(['Example', 'Other', 'Ex\u00c4mple']),
    tag: random.rarely(0.2, 0x0c, [0x13, 0x14]),
  }),
];

function subjectOf(random: Random, issuer: Ca): Buffer {
  const kind = random.rarely(0.5, 'thredd', ['attributes', 'attributes', 'attributes', 'empty', 'issuer']);
  if (kind === 'thredd') return rawName(threddLike);
  if (kind === 'empty') return rawName([]);
  if (kind === 'issuer') return issuer.name;
  return rawName(random.several(3, attributes).map((make) => make(random)));
}

export function makeChain(random: Random, { roots, below, ends }: Hierarchy, now: number): Chain {
  const cas = [...roots, ...below];
  const issuer = random.pick(random.chance(0.85) ? ends : cas);
  const key = random.rarely(0.01, random.pick(leafKeys), weakKeys);
  const usage = random.rarely(0.15, digitalSignature, [
    null,
    null,
    0x08,
    0x88,
    0x80 | keyCertSign,
    0x20,
    0xff,
    0,
  ]);
  const extensions: (RawExtension | null)[] = [
    random.chance(0.2)
      ? basicConstraints(random, random.rarely(0.05, false, [true]), random.rarely(0.05, null, [0, 1, -1]))
      : null,
    usage === null ? null : keyUsage(random, usage),
    subjectKeyId(random, random.chance(0.2) ? null : rawKeyId(key)),
    authorityKeyId(random, issuer),
    random.chance(0.25) ? extendedKeyUsage(random) : null,
    random.chance(0.01) ? nameConstraints(random) : null,
    random.chance(0.06) ? netscapeCertType(random) : null,
    random.chance(0.4) ? subjectAltName(random) : null,
    random.chance(0.05) ? oddity(random) : null,
  ];
  const sound = extensions.filter((each) => each !== null);
  const leaf = rawCertificate({
    version: random.rarely(0.02, 3, [1, 2]),
    serial: serialOf(random),
    subject: subjectOf(random, issuer),
    issuer: issuer.name,
    ...validity(random, now),
    key,
    signer: random.rarely(0.01, issuer.key, [random.pick(caKeys)]),
    hash: random.rarely(0.01, 'sha256', ['sha1']),
    extensions: random.chance(0.04) ? mutate(random, sound) : sound,
  });
  const along = random.pick([[], [], [issuer.der], cas.map(({ der }) => der)]);
  return { leaf, key, along, version: random.pick(['TLSv1.2', 'TLSv1.3'] as const) };
}
