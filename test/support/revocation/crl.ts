/** Issues CRLs: valid, invalid and very long ones. */
import { randomFillSync } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import type { Name } from '@peculiar/asn1-x509';
import type { Issued } from '../../../src/issuing/certificate.ts';
import { crlEntry, crlNumber, crlReason, signCrl } from '../../../src/issuing/crl.ts';
import { uri } from '../../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger, type RawExtension } from '../../../src/pki/der-writer.ts';
import type { NamedHash } from '../../../src/pki/signature.ts';
import { revocationReasons } from '../../../src/revocation/reasons.ts';

export type Reason = NonNullable<(typeof revocationReasons)[number]>;

export interface Revoked {
  /** A certificate, or the contents of the serial's INTEGER. */
  readonly serial: Issued | Uint8Array;
  /** Milliseconds since the epoch; default thisUpdate. */
  readonly at?: number;
  readonly reason?: Reason;
  /** certificateIssuer. */
  readonly issuer?: Name;
  readonly extensions?: readonly RawExtension[];
}

export interface PointOptions {
  readonly urls?: readonly string[];
  readonly directory?: Name;
  /** The contents of a RelativeDistinguishedName. */
  readonly relative?: Uint8Array;
  readonly reasons?: readonly ReasonFlag[];
}

export interface ScopeOptions extends PointOptions {
  readonly only?: 'user' | 'ca' | 'attribute';
  readonly indirect?: boolean;
}

export interface CrlOptions {
  readonly issuer: Issued;
  /** Entries, or the DER of all of them (`manyRevoked`). */
  readonly revoked?: readonly Revoked[] | Uint8Array;
  readonly number?: number | bigint | null;
  /** Makes it a delta CRL. */
  readonly baseNumber?: number | bigint;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** issuingDistributionPoint. */
  readonly scope?: ScopeOptions;
  readonly extensions?: readonly RawExtension[];
  /** 1: without the extensions above. */
  readonly version?: 1 | 2;
  readonly hash?: NamedHash;
  readonly pss?: boolean;
}

const reasonFlags = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
export type ReasonFlag = (typeof reasonFlags)[number];

export function issueCrl(options: CrlOptions): { readonly der: Buffer; readonly pem: string } {
  const { revoked = [], version = 2, ...contents } = options;
  const entries =
    revoked instanceof Uint8Array
      ? revoked
      : Buffer.concat(revoked.map((each) => entry(each, options.thisUpdate)));
  const der = signCrl({ ...contents, entries, extensions: version === 2 ? crlExtensions(options) : null });
  return { der, pem: crlPem(der) };
}

export function crlPem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN X509 CRL-----\n${lines}\n-----END X509 CRL-----\n`;
}

function crlExtensions({ number = 1, baseNumber, scope, extensions: more = [] }: CrlOptions): RawExtension[] {
  return [
    ...(number === null ? [] : [crlNumber(number)]),
    ...(baseNumber === undefined
      ? []
      : [{ oid: '2.5.29.27', critical: true, value: derInteger(baseNumber) }]),
    ...(scope === undefined ? [] : [{ oid: '2.5.29.28', critical: true, value: scopeValue(scope) }]),
    ...more,
  ];
}

/** For `IssueOptions.extensions`: the distribution points of CRLs, or with `freshest` of delta CRLs. */
export function distributionPoints(
  points: readonly (PointOptions & { readonly crlIssuer?: Name })[],
  { freshest = false } = {},
): RawExtension {
  const value = derElement(
    tags.sequence,
    ...points.map(({ crlIssuer, ...point }) =>
      derElement(
        tags.sequence,
        pointName(point),
        point.reasons === undefined ? Buffer.alloc(0) : namedBits(0x81, point.reasons),
        crlIssuer === undefined ? Buffer.alloc(0) : derElement(0xa2, directoryName(crlIssuer)),
      ),
    ),
  );
  return { oid: freshest ? '2.5.29.46' : '2.5.29.31', value };
}

function scopeValue({ only, reasons, indirect = false, ...point }: ScopeOptions): Buffer {
  const flag = (tag: number, set: boolean) => (set ? derElement(tag, Buffer.of(0xff)) : Buffer.alloc(0));
  return derElement(
    tags.sequence,
    pointName(point),
    flag(0x81, only === 'user'),
    flag(0x82, only === 'ca'),
    reasons === undefined ? Buffer.alloc(0) : namedBits(0x83, reasons),
    flag(0x84, indirect),
    flag(0x85, only === 'attribute'),
  );
}

function pointName({ urls = [], directory, relative }: PointOptions): Buffer {
  if (relative !== undefined) return derElement(0xa0, derElement(0xa1, relative));
  const names = urls.map(uri);
  if (directory !== undefined) names.push(directoryName(directory));
  return names.length === 0 ? Buffer.alloc(0) : derElement(0xa0, derElement(0xa0, ...names));
}

function directoryName(name: Name): Buffer {
  return derElement(0xa4, Buffer.from(AsnConvert.serialize(name)));
}

function namedBits(tag: number, names: readonly ReasonFlag[]): Buffer {
  const bits = Buffer.alloc(2);
  for (const name of names) {
    const bit = reasonFlags.indexOf(name);
    bits[bit >> 3] = (bits[bit >> 3] as number) | (0x80 >> (bit & 7));
  }
  return derElement(tag, Buffer.of(7), bits);
}

function entry({ serial, at, reason, issuer, extensions = [] }: Revoked, thisUpdate: number): Buffer {
  const octets = serial instanceof Uint8Array ? serial : parseCertificate(serial.der).serialOctets;
  const list: RawExtension[] = [...extensions];
  if (reason !== undefined) list.push(crlReason(revocationReasons.indexOf(reason)));
  if (issuer !== undefined)
    list.push({ oid: '2.5.29.29', critical: true, value: derElement(tags.sequence, directoryName(issuer)) });
  return crlEntry({ serial: octets, at: at ?? thisUpdate, extensions: list });
}

/** The DER of `count` entries, each with a reason and a random positive serial of `width` octets; and one of the serials. */
export function manyRevoked(
  count: number,
  { width, at }: { readonly width: number; readonly at: number },
): { readonly der: Buffer; serial(index: number): Buffer } {
  const template = entry({ serial: Buffer.alloc(width, 1), at, reason: 'superseded' }, at);
  const serialAt = 4;
  const der = Buffer.alloc(count * template.length);
  const random = Buffer.alloc(count * width);
  for (let from = 0; from < random.length; from += 2 ** 30)
    randomFillSync(random.subarray(from, from + 2 ** 30));
  for (let index = 0; index < count; index++) {
    const row = index * template.length;
    der.set(template, row);
    const serial = random.subarray(index * width, (index + 1) * width);
    // Positive and minimal.
    serial[0] = 0x40 | ((serial[0] as number) & 0x3f);
    der.set(serial, row + serialAt);
  }
  return { der, serial: (index) => random.subarray(index * width, (index + 1) * width) };
}
