/** Reads one Extension (RFC 5280 §4.1), which has the same form in certificates, CRLs and OCSP responses. */
import { type DerCursor, formatOid, tags } from './der-cursor.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The contents of the OCTET STRING. */
  readonly value: Uint8Array;
}

/** The next element, which ends at `limit` or before. An explicit FALSE is accepted. Throws DerError. */
export function readExtension(cursor: DerCursor, limit: number): Extension {
  cursor.open(limit, tags.sequence);
  const { end } = cursor;
  cursor.read(end, tags.oid);
  const oid = formatOid(cursor.contents());
  const critical = cursor.peek(end) === tags.boolean && cursor.readBoolean(end);
  cursor.read(end, tags.octetString);
  cursor.close(end);
  return { oid, critical, value: cursor.contents() };
}
