/** Reads the certificates and CRLs of a PKCS#7 (CMS) bundle (RFC 5652 §5.1); signatures in it are not used. */
import { readBer, toDer } from '../../issuing/pkcs12/ber.ts';
import { DerCursor, DerError, tags } from '../../pki/der-cursor.ts';

export interface Pkcs7Contents {
  /** DER, in the order of the file. */
  readonly certificates: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
}

/** `bytes`: DER, or BER with indefinite lengths. Throws DerError, or BerError. */
export function readPkcs7(bytes: Uint8Array): Pkcs7Contents {
  try {
    return readDer(bytes);
  } catch (cause) {
    // An indefinite length is the second octet 0x80.
    if (cause instanceof DerError && bytes[1] === 0x80) return readDer(toDer(readBer(bytes)));
    throw cause;
  }
}

function readDer(der: Uint8Array): Pkcs7Contents {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.oid);
  cursor.openLast(der.length, 0xa0);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.integer);
  cursor.read(der.length, tags.set);
  cursor.read(der.length, tags.sequence);
  return { certificates: readSet(cursor, 0xa0), crls: readSet(cursor, 0xa1) };
}

/** The elements of an optional `[n] IMPLICIT SET`; other choices than certificate and CRL have context tags. */
function readSet(cursor: DerCursor, tag: number): Uint8Array[] {
  const limit = cursor.bytes.length;
  if (cursor.peek(limit) !== tag) return [];
  cursor.open(limit, tag);
  const { end } = cursor;
  const found: Uint8Array[] = [];
  while (cursor.at < end) {
    const element = cursor.element(end);
    if (cursor.tag === tags.sequence) found.push(element);
  }
  return found;
}
