/** Distinguished names: decoding, the RFC 4514 string (most specific RDN first), and the canonical form for comparison. */
import { escapedAsHex } from '../foreign-text.ts';
import { type DerCursor, formatOid, openSequence, tags } from './der-cursor.ts';

export interface Attribute {
  /** OID. */
  readonly type: string;
  /** null: the value is not a string type. */
  readonly text: string | null;
  /** The value's DER. */
  readonly value: Uint8Array;
}

/** RDNs, most general first. */
export type DistinguishedName = readonly (readonly Attribute[])[];

export const attributeTypes = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

/** RFC 4514 §3 requires the first nine; the others are registered LDAP descriptors that CAs use. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.6': 'C',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Decodes a Name. The cost is linear in its length: an untrusted certificate may hold thousands. Throws DerError. */
export function readName(der: Uint8Array): DistinguishedName {
  const cursor = openSequence(der);
  const name: Attribute[][] = [];
  while (cursor.at < der.length) {
    cursor.open(der.length, tags.set);
    const { end } = cursor;
    const rdn: Attribute[] = [];
    while (cursor.at < end) rdn.push(readAttribute(cursor, end));
    name.push(rdn);
  }
  return name;
}

function readAttribute(cursor: DerCursor, limit: number): Attribute {
  cursor.open(limit, tags.sequence);
  const { end } = cursor;
  cursor.read(end, tags.oid);
  const type = formatOid(cursor.contents());
  const value = cursor.element(end);
  cursor.close(end);
  return { type, text: decodeText(cursor.tag, cursor.contents()), value };
}

export function formatName(name: DistinguishedName): string {
  return [...name]
    .reverse()
    .map((rdn) => rdn.map(formatAttribute).join('+'))
    .join(',');
}

/** All values of one attribute type in the order of the certificate; values that are not strings are left out. */
export function attributeValues(name: DistinguishedName, type: string): string[] {
  return attributesOf(name, type).flatMap(({ text }) => text ?? []);
}

/** All attributes of one type, strings or not. */
export function attributesOf(name: DistinguishedName, type: string): Attribute[] {
  return name.flat().filter((attribute) => attribute.type === type);
}

/**
 * One self-delimiting string per RDN, most general first; equal strings are equal RDNs. As in RFC 5280 §7.1, the order of
 * RDNs counts, the order of attributes within an RDN does not. Strings are compared without regard to ASN.1 type, case
 * and redundant white space (a subset of RFC 4518), other values by their DER.
 */
export function canonicalName(
  name: DistinguishedName,
  fold: (text: string) => string = foldText,
): readonly string[] {
  return name.map((rdn) =>
    JSON.stringify(rdn.map((attribute) => canonicalAttribute(attribute, fold)).sort()),
  );
}

/**
 * The canonical name as one string, in which only ASCII letters and ASCII white space are folded, as in OpenSSL: the case and
 * the composition of other characters count. Used where a match must not be wider than OpenSSL's: for permitted names, and for
 * self-issued certificates.
 */
export function exactText(name: DistinguishedName): string {
  return canonicalName(name, foldAscii).join('');
}

function canonicalAttribute({ type, text, value }: Attribute, fold: (text: string) => string): string {
  if (text === null) return `${type}#${Buffer.from(value).toString('hex')}`;
  return `${type}=${fold(text)}`;
}

const printableAscii = /^[\x20-\x7e]*$/;

function foldText(text: string): string {
  const composed = printableAscii.test(text) ? text : text.normalize('NFKC');
  return composed.toLowerCase().trim().replace(/\s+/g, ' ');
}

function foldAscii(text: string): string {
  return text
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
    .replace(/[\t-\r ]+/g, ' ');
}

/** RFC 4514 §2.4: a value that is not a string, or of a type without a short name, is written as the hex of its DER. */
function formatAttribute({ type, text, value }: Attribute): string {
  const short = shortNames[type];
  if (short === undefined || text === null) {
    return `${short ?? type}=#${Buffer.from(value).toString('hex')}`;
  }
  return `${short}=${escapeValue(text)}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The string types that OpenSSL compares across types (ASN1_MASK_CANON); null: another type, or invalid contents. */
function decodeText(tag: number, contents: Uint8Array): string | null {
  switch (tag) {
    case 0x0c:
      return decodeUtf8(contents);
    case 0x13: // PrintableString
    case 0x14: // TeletexString
    case 0x16: // IA5String
      return Buffer.from(contents.buffer, contents.byteOffset, contents.length).toString('latin1');
    case 0x1c: // UniversalString
      return decodeUnits(contents, 4);
    case 0x1e: // BMPString
      return decodeUnits(contents, 2);
    default:
      return null;
  }
}

function decodeUtf8(contents: Uint8Array): string | null {
  try {
    return utf8.decode(contents);
  } catch {
    return null;
  }
}

/** Big-endian code units of `width` octets. */
function decodeUnits(contents: Uint8Array, width: 2 | 4): string | null {
  if (contents.length % width !== 0) return null;
  const octets = Buffer.from(contents.buffer, contents.byteOffset, contents.length);
  const units: string[] = [];
  for (let at = 0; at < octets.length; at += width) {
    const unit = octets.readUIntBE(at, width);
    if (unit > 0x10ffff) return null;
    units.push(width === 2 ? String.fromCharCode(unit) : String.fromCodePoint(unit));
  }
  return units.join('');
}

/** RFC 4514 §2.4; characters that are unsafe to show are escaped as hex pairs, too, since the string is logged. */
function escapeValue(text: string): string {
  return escapedAsHex(text.replace(/["+,;<>\\]|^[ #]| $/g, '\\$&'));
}
