/** Which structure DER holds, by its first elements: nothing of it is decoded. */
import { DerCursor, DerError, formatOid, tags } from '../../pki/der-cursor.ts';

export type DerKind =
  | 'certificate'
  | 'crl'
  | 'request'
  | 'ocsp_response'
  | 'pkcs7'
  | 'pkcs12'
  | 'private_key'
  | 'encrypted_key'
  | 'public_key';

const signedData = '1.2.840.113549.1.7.2';

/** null: none of these, or too damaged to see. BER with an indefinite length is recognised where its first elements are. */
export function derKindOf(der: Uint8Array): DerKind | null {
  const cursor = new DerCursor(der);
  try {
    const limit = der.length;
    enter(cursor);
    const start = cursor.at;
    const outer = tagsIn(cursor, limit);
    cursor.at = start;
    return kindByOuter(outer, cursor, limit);
  } catch (cause) {
    if (cause instanceof DerError) return null;
    throw cause;
  }
}

/** Moves into a SEQUENCE, whose length may be indefinite (BER), or larger than what is left of the data. */
function enter(cursor: DerCursor): void {
  const { bytes, at } = cursor;
  if (bytes[at] !== tags.sequence) throw new DerError('not a SEQUENCE');
  const length = bytes[at + 1] ?? 0;
  cursor.at = at + (length < 0x80 ? 2 : 2 + (length & 0x7f));
}

/** The tags of the first four elements; fewer where the data ends or is not DER. */
function tagsIn(cursor: DerCursor, limit: number): number[] {
  const found: number[] = [];
  while (found.length < 4 && cursor.at < limit) {
    const tag = cursor.peek(limit);
    found.push(tag);
    try {
      cursor.read(limit);
    } catch (cause) {
      if (cause instanceof DerError) break;
      throw cause;
    }
  }
  return found;
}

function kindByOuter(outer: readonly number[], cursor: DerCursor, limit: number): DerKind | null {
  const [first, second] = outer;
  if (first === tags.enumerated) return 'ocsp_response';
  if (first === tags.oid) {
    cursor.read(limit);
    return formatOid(cursor.contents()) === signedData ? 'pkcs7' : null;
  }
  if (first === tags.integer) {
    cursor.read(limit);
    const version = cursor.bytes[cursor.start];
    if (version === 3 && cursor.end - cursor.start === 1) return 'pkcs12';
    return second === tags.sequence || second === tags.integer || second === tags.octetString
      ? 'private_key'
      : null;
  }
  if (first !== tags.sequence) return null;
  if (second === tags.octetString) return 'encrypted_key';
  if (second === tags.bitString) return 'public_key';
  return second === undefined || second === tags.sequence ? kindOfSigned(cursor, limit) : null;
}

/** Certificate, CRL or request: the first elements of what is signed. */
function kindOfSigned(cursor: DerCursor, limit: number): DerKind | null {
  enter(cursor);
  const inner = tagsIn(cursor, limit);
  if (inner[0] === 0xa0) return 'certificate';
  if (inner.some((tag) => tag === tags.utcTime || tag === tags.generalizedTime)) return 'crl';
  const [version, subject, key, fourth] = inner;
  if (version !== tags.integer || subject !== tags.sequence || key !== tags.sequence) return null;
  return fourth === tags.sequence ? 'certificate' : 'request';
}
