/** Names as name constraints speak of them, and the constraints of a CA (RFC 5280 §4.2.1.6, §4.2.1.10). */
import { DerCursor, DerError, formatOid, tags } from './der-cursor.ts';
import { canonicalText } from './distribution-point.ts';
import {
  attributesOf,
  attributeTypes,
  type DistinguishedName,
  exactText,
  readName as readDistinguishedName,
} from './name.ts';

/** The tag of an IA5String. */
const IA5_STRING = 0x16;

export type ConstrainedName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  /** An address of 4 or 16 octets; in a constraint an address and a mask. */
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  /**
   * A name begins with each name above it, and with no other. `exact`: the same with the case of letters beyond ASCII
   * kept, where that is another text.
   */
  | { readonly kind: 'directory'; readonly canonical: string; readonly exact?: string }
  /** otherName, x400Address, ediPartyName, registeredID, told apart by their tags: nothing here compares them. */
  | { readonly kind: 'other'; readonly tag: number }
  /** A name in a subject whose text cannot be read: no constraint can allow it. */
  | { readonly kind: 'unreadable' };

export interface NameConstraints {
  readonly permitted: readonly ConstrainedName[];
  readonly excluded: readonly ConstrainedName[];
}

/** `value`: a subjectAltName extension. Throws DerError. */
export function readAlternativeNames(value: Uint8Array): ConstrainedName[] {
  const cursor = inSequence(value);
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

/** Two labels or more, as OpenSSL tells host names among common names; a wildcard label may stand in front. */
const hostLike = /^(?:\*\.)?(?:[a-z0-9_]+(?:-+[a-z0-9_]+)*\.)+[a-z0-9_]+(?:-+[a-z0-9_]+)*$/i;

/** Common names that a relying party might take for host names (RFC 6125 §6.4.4). */
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
 * `value`: a nameConstraints extension. Null: it is one that RFC 5280 forbids and nothing here applies: with a minimum or
 * maximum, without a subtree, or with a network that has no mask. Throws DerError.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints | null {
  const cursor = inSequence(value);
  const permitted = readSubtrees(cursor, 0xa0);
  const excluded = readSubtrees(cursor, 0xa1);
  cursor.close(value.length);
  if (permitted === null || excluded === null) return null;
  return permitted.length + excluded.length === 0 ? null : { permitted, excluded };
}

function inSequence(value: Uint8Array): DerCursor {
  const cursor = new DerCursor(value);
  cursor.open(value.length, tags.sequence);
  if (cursor.end !== value.length) throw new DerError('bytes behind an extension');
  return cursor;
}

/** Empty: the field is absent. Null: the field is empty, or a base has a distance or is malformed. */
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
      // An e-mail address beyond ASCII, which constraints on e-mail addresses bind (RFC 9598 §6): none is compared here.
      return isSmtpUtf8Mailbox(contents) ? { kind: 'email', value: '' } : { kind: 'other', tag };
    default:
      return { kind: 'other', tag };
  }
}

/** IA5String; an octet beyond ASCII becomes a letter that no host name has. */
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
