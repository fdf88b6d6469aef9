/** Issues CRLs (RFC 5280 §5) for the demo and the tests. */
import { AsnConvert } from '@peculiar/asn1-schema';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derExtensions, derInteger, derTime, type RawExtension } from '../pki/der-writer.ts';
import type { NamedHash } from '../pki/signature.ts';
import { algorithmOf, type Issued, keyIdOf, signBytes } from './certificate.ts';

/** Times are milliseconds since the epoch. */
interface CrlContents {
  readonly issuer: Issued;
  /** Results of `crlEntry`, concatenated. */
  readonly entries: Uint8Array;
  readonly thisUpdate: number;
  /** null: absent. */
  readonly nextUpdate: number | null;
  /** null: a v1 CRL, which has none. */
  readonly extensions: readonly RawExtension[] | null;
  /** Default sha256. */
  readonly hash?: NamedHash;
  /** RSA-PSS instead of PKCS#1 v1.5. */
  readonly pss?: boolean;
}

interface CrlEntry {
  /** The contents of the serial number's INTEGER. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly extensions?: readonly RawExtension[];
}

/** DER of a signed CRL. Checks nothing, so that tests can issue invalid CRLs. */
export function signCrl(contents: CrlContents): Buffer {
  const { issuer, entries, thisUpdate, nextUpdate, extensions, hash = 'sha256', pss = false } = contents;
  const algorithm = Buffer.from(AsnConvert.serialize(algorithmOf(issuer.privateKey, hash, pss)));
  const absent = Buffer.alloc(0);
  const tbs = derElement(
    tags.sequence,
    extensions === null ? absent : derInteger(1),
    algorithm,
    Buffer.from(AsnConvert.serialize(issuer.subject)),
    derTime(thisUpdate),
    nextUpdate === null ? absent : derTime(nextUpdate),
    entries.length === 0 ? absent : derElement(tags.sequence, entries),
    extensions === null ? absent : derElement(0xa0, derExtensions(extensions)),
  );
  const signature = signBytes(tbs, issuer.privateKey, { hash, pss });
  return derElement(tags.sequence, tbs, algorithm, derElement(tags.bitString, Buffer.of(0), signature));
}

export function crlEntry({ serial, at, extensions = [] }: CrlEntry): Buffer {
  return derElement(
    tags.sequence,
    derElement(tags.integer, serial),
    derTime(at),
    extensions.length === 0 ? Buffer.alloc(0) : derExtensions(extensions),
  );
}

/** cRLNumber, which every later CRL of the issuer must increase (§5.2.3). */
export function crlNumber(number: number | bigint): RawExtension {
  return { oid: '2.5.29.20', value: derInteger(number) };
}

/** The authority key identifier: with which key the CRL is signed (§5.2.1). */
export function crlKey(issuer: Issued): RawExtension {
  return { oid: '2.5.29.35', value: derElement(tags.sequence, derElement(0x80, keyIdOf(issuer.privateKey))) };
}

/** CRLReason of an entry (§5.3.1). */
export function crlReason(code: number): RawExtension {
  return { oid: '2.5.29.21', value: derElement(tags.enumerated, Buffer.of(code)) };
}
