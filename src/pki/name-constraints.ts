/** The name constraints of a CA, and the names in a certificate that they apply to (RFC 5280 §4.2.1.6, §4.2.1.10). */
import { DerCursor, formatOid, openSequence, tags } from './der-cursor.ts';
import {
  attributesOf,
  attributeTypes,
  type DistinguishedName,
  exactText,
  readName as readDistinguishedName,
} from './distinguished-name.ts';
import { canonicalText } from './distribution-point.ts';

/** The tag of an IA5String. */
const IA5_STRING = 0x16;

export type ConstrainedName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  /** An address of 4 or 16 octets; in a constraint an address and a mask. */
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  /**
   * A name is in the subtree of a base exactly if its canonical text starts with that of the base. `exact`: the text that
   * OpenSSL compares (`exactText`); absent if it is the same.
   */
  | { readonly kind: 'directory'; readonly canonical: string; readonly exact?: string }
  /** otherName, x400Address, ediPartyName, registeredID; only their tags are compared. */
  | { readonly kind: 'other'; readonly tag: number }
  /** A name in a subject whose text cannot be decoded: no constraint permits it. */
  | { readonly kind: 'unreadable' };

export interface NameConstraints {
  readonly permitted: readonly ConstrainedName[];
  readonly excluded: readonly ConstrainedName[];
}

/** `value`: a subjectAltName extension. Throws DerError. */
export function readAlternativeNames(value: Uint8Array): ConstrainedName[] {
  const cursor = openSequence(value);
  const names: ConstrainedName[] = [];
  while (cursor.at < value.length) names.push(readName(cursor, value.length));
  return names;
}

/** The subject itself, and the e-mail addresses in it (RFC 5280 §4.2.1.10). `canonical`: its canonical text. */
export function subjectNames(subject: DistinguishedName, canonical: string): ConstrainedName[] {
  const emails = attributesOf(subject, attributeTypes.emailAddress).map(
    // An emailAddress is an IA5String (RFC 5280 §4.1.2.6); OpenSSL refuses others under any constraint.
    ({ text, value }): ConstrainedName =>
      text === null || value[0] !== IA5_STRING ? { kind: 'unreadable' } : { kind: 'email', value: text },
  );
  return canonical === '' ? emails : [directoryOf(subject, canonical), ...emails];
}

/** Two or more labels, as OpenSSL recognises host names among common names; the first may be a wildcard. */
const hostLike = /^(?:\*\.)?(?:[a-z0-9_]+(?:-+[a-z0-9_]+)*\.)+[a-z0-9_]+(?:-+[a-z0-9_]+)*$/i;

/** Common names that a relying party might treat as host names (RFC 6125 §6.4.4). */
export function commonHostNames(subject: DistinguishedName): ConstrainedName[] {
  return attributesOf(subject, attributeTypes.commonName).flatMap((attribute): ConstrainedName | [] => {
    const text = attribute.text?.replace(/\0+$/, '');
    if (text === undefined || text.includes('\0')) return { kind: 'unreadable' };
    return hostLike.test(text) ? { kind: 'dns', value: text } : [];
  });
}

function directoryOf(name: DistinguishedName, canonical: string): ConstrainedName {
  const exact = exactText(name);
  return { kind: 'directory', canonical, ...(exact === canonical ? {} : { exact }) };
}

/**
 * `value`: a nameConstraints extension. Returns null for constraints that RFC 5280 forbids and that are not applied: with
 * a minimum or maximum, without a subtree, or with a network without a mask. Throws DerError.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints | null {
  const cursor = openSequence(value);
  const permitted = readSubtrees(cursor, 0xa0);
  const excluded = readSubtrees(cursor, 0xa1);
  cursor.close(value.length);
  if (permitted === null || excluded === null) return null;
  return permitted.length + excluded.length === 0 ? null : { permitted, excluded };
}

/** Empty: the field is absent. null: the field is empty, or has a subtree that cannot be applied. */
function readSubtrees(cursor: DerCursor, tag: number): ConstrainedName[] | null {
  const bases: ConstrainedName[] = [];
  if (cursor.peek(cursor.bytes.length) !== tag) return bases;
  cursor.open(cursor.bytes.length, tag);
  const { end } = cursor;
  let sound = cursor.at < end;
  while (cursor.at < end) {
    cursor.open(end, tags.sequence);
    const { end: subtreeEnd } = cursor;
    const base = readName(cursor, subtreeEnd);
    bases.push(base);
    const isNetwork = base.kind !== 'ip' || base.octets.length === 8 || base.octets.length === 32;
    sound &&= isNetwork && cursor.at === subtreeEnd;
    cursor.at = subtreeEnd;
  }
  return sound ? bases : null;
}

function readName(cursor: DerCursor, limit: number): ConstrainedName {
  cursor.read(limit);
  const { tag } = cursor;
  const contents = cursor.contents();
  switch (tag) {
    case 0x81:
      return { kind: 'email', value: ia5Text(contents) };
    case 0x82:
      return { kind: 'dns', value: ia5Text(contents) };
    case 0xa4:
      return readDirectory(contents);
    case 0x86:
      return { kind: 'uri', value: ia5Text(contents) };
    case 0x87:
      return { kind: 'ip', octets: contents };
    case 0xa0:
      // Constraints on e-mail addresses apply to SmtpUTF8Mailbox, too (RFC 9598 §6); this value matches none of them.
      return isSmtpUtf8Mailbox(contents) ? { kind: 'email', value: '' } : { kind: 'other', tag };
    default:
      return { kind: 'other', tag };
  }
}

/** An IA5String; a non-ASCII octet becomes a character that no host name contains. */
function ia5Text(contents: Uint8Array): string {
  return Buffer.from(contents).toString('latin1');
}

function readDirectory(der: Uint8Array): ConstrainedName {
  const name = readDistinguishedName(der);
  return directoryOf(name, canonicalText(name));
}

function isSmtpUtf8Mailbox(otherName: Uint8Array): boolean {
  const cursor = new DerCursor(otherName);
  cursor.read(otherName.length, tags.oid);
  return formatOid(cursor.contents()) === '1.3.6.1.5.5.7.8.9';
}
