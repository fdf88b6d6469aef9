/** Names as name constraints speak of them, and the constraints of a CA (RFC 5280 §4.2.1.6, §4.2.1.10). */
import { DerCursor, DerError, tags } from './der-cursor.ts';
import { readCanonicalText } from './distribution-point.ts';

export type ConstrainedName =
  | { readonly kind: 'dns' | 'email' | 'uri'; readonly value: string }
  /** An address of 4 or 16 octets; in a constraint an address and a mask. */
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  /** A name begins with each name above it, and with no other. */
  | { readonly kind: 'directory'; readonly canonical: string }
  /** otherName, x400Address, ediPartyName, registeredID, told apart by their tags: nothing here compares them. */
  | { readonly kind: 'other'; readonly tag: number };

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

/**
 * `value`: a nameConstraints extension. Null: it uses minimum or maximum, which RFC 5280 forbids and nobody here
 * processes. Throws DerError.
 */
export function readNameConstraints(value: Uint8Array): NameConstraints | null {
  const cursor = inSequence(value);
  const permitted = readSubtrees(cursor, 0xa0);
  const excluded = readSubtrees(cursor, 0xa1);
  cursor.close(value.length);
  return permitted === null || excluded === null ? null : { permitted, excluded };
}

function inSequence(value: Uint8Array): DerCursor {
  const cursor = new DerCursor(value);
  cursor.open(value.length, tags.sequence);
  if (cursor.end !== value.length) throw new DerError('bytes behind an extension');
  return cursor;
}

/** Empty: the field is absent. Null: a base with a distance. */
function readSubtrees(cursor: DerCursor, tag: number): ConstrainedName[] | null {
  const bases: ConstrainedName[] = [];
  if (cursor.peek(cursor.bytes.length) !== tag) return bases;
  cursor.open(cursor.bytes.length, tag);
  const { end } = cursor;
  let measured = false;
  while (cursor.at < end) {
    cursor.open(end, tags.sequence);
    const { end: subtreeEnd } = cursor;
    bases.push(readName(cursor, subtreeEnd));
    measured ||= cursor.at < subtreeEnd;
    cursor.at = subtreeEnd;
  }
  return measured ? null : bases;
}

function readName(cursor: DerCursor, limit: number): ConstrainedName {
  cursor.read(limit);
  const { tag } = cursor;
  const contents = cursor.contents();
  switch (tag) {
    case 0x81:
      return { kind: 'email', value: textOf(contents) };
    case 0x82:
      return { kind: 'dns', value: textOf(contents) };
    case 0xa4:
      return { kind: 'directory', canonical: readCanonicalText(contents) };
    case 0x86:
      return { kind: 'uri', value: textOf(contents) };
    case 0x87:
      return { kind: 'ip', octets: contents };
    default:
      return { kind: 'other', tag };
  }
}

/** IA5String; an octet beyond ASCII becomes a letter that no host name has. */
function textOf(contents: Uint8Array): string {
  return Buffer.from(contents).toString('latin1');
}
