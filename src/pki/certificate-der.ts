/**
 * Splits the DER of a certificate into its fields (RFC 5280 §4.1), most of them undecoded: an untrusted certificate costs
 * no more than its length.
 */
import { DerCursor, DerError, tags } from './der-cursor.ts';
import { type Extension, readExtension } from './extension.ts';
import { MAX_SERIAL_OCTETS } from './serial.ts';
import { type Algorithm, readAlgorithm } from './signature.ts';

export interface CertificateStructure {
  /** The TBSCertificate with its header: the signed part. */
  readonly tbs: Uint8Array;
  /** 0: v1, 2: v3. */
  readonly version: number;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
  /** DER of the names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER of the SubjectPublicKeyInfo, and its algorithm's OID. */
  readonly publicKeyInfo: Uint8Array;
  readonly keyAlgorithm: string;
  /** The contents of the key's BIT STRING, without the octet with the number of unused bits. */
  readonly publicKey: Uint8Array;
  /** By OID, in the order of the certificate. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
  readonly signatureAlgorithm: Algorithm;
}

/** `value`: one DER element. */
export type CertificateExtension = Omit<Extension, 'oid'>;

/** The TBSCertificate with its header: everything that the CA signed. Throws DerError. */
export function tbsOf(der: Uint8Array): Uint8Array {
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  return cursor.element(der.length, tags.sequence);
}

/** Throws DerError. */
export function readCertificateStructure(der: Uint8Array): CertificateStructure {
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  if (cursor.end !== der.length) throw new DerError('bytes after the certificate');
  const { at } = cursor;
  const tbs = cursor.element(der.length, tags.sequence);
  const algorithm = cursor.element(der.length, tags.sequence);
  cursor.read(der.length, tags.bitString);
  cursor.close(der.length);
  return { tbs, signatureAlgorithm: readAlgorithm(algorithm), ...readTbs(new DerCursor(der, at), algorithm) };
}

/** `cursor`: at the TBSCertificate within the certificate, so that positions in errors count from its start. */
function readTbs(
  cursor: DerCursor,
  outer: Uint8Array,
): Omit<CertificateStructure, 'tbs' | 'signatureAlgorithm'> {
  cursor.open(cursor.bytes.length, tags.sequence);
  const { end } = cursor;
  const version = cursor.peek(end) === 0xa0 ? readVersion(cursor, end) : 0;
  cursor.readInteger(end);
  const serial = cursor.contents();
  if (serial.length > MAX_SERIAL_OCTETS)
    throw new DerError(`a serial number of ${serial.length} octets, more than ${MAX_SERIAL_OCTETS}`);
  // The outer identifier is not signed, so that it must equal the signed one.
  if (Buffer.compare(cursor.element(end, tags.sequence), outer) !== 0)
    throw new DerError('two different signature algorithms (RFC 5280 §4.1.1.2)');
  const issuer = cursor.element(end, tags.sequence);
  cursor.open(end, tags.sequence);
  const validityEnd = cursor.end;
  const notBefore = cursor.readTime(validityEnd);
  const notAfter = cursor.readTime(validityEnd);
  cursor.close(validityEnd);
  const subject = cursor.element(end, tags.sequence);
  const publicKeyInfo = cursor.element(end, tags.sequence);
  const key = readKey(publicKeyInfo);
  // issuerUniqueID and subjectUniqueID are ignored (§4.1.2.8).
  for (const tag of [0x81, 0x82]) if (cursor.peek(end) === tag) cursor.read(end);
  const extensions = cursor.peek(end) === 0xa3 ? readExtensions(cursor, end) : new Map();
  cursor.close(end);
  if (extensions.size > 0 && version !== 2) throw new DerError('extensions in a certificate before v3');
  return { version, serial, issuer, subject, notBefore, notAfter, publicKeyInfo, ...key, extensions };
}

/** An explicit v1 is accepted although DER omits the default: it is unambiguous. */
function readVersion(cursor: DerCursor, limit: number): number {
  cursor.open(limit, 0xa0);
  const { end } = cursor;
  cursor.readInteger(end);
  cursor.close(end);
  const version = cursor.bytes[cursor.start] as number;
  if (cursor.end - cursor.start !== 1 || version > 2)
    throw new DerError('a version other than v1, v2 and v3');
  return version;
}

function readKey(info: Uint8Array): Pick<CertificateStructure, 'keyAlgorithm' | 'publicKey'> {
  const cursor = new DerCursor(info);
  cursor.open(info.length, tags.sequence);
  const algorithm = readAlgorithm(cursor.element(info.length, tags.sequence));
  cursor.read(info.length, tags.bitString);
  cursor.close(info.length);
  if (cursor.end === cursor.start) throw new DerError('a public key that is not a BIT STRING');
  return { keyAlgorithm: algorithm.oid, publicKey: cursor.contents().subarray(1) };
}

function readExtensions(cursor: DerCursor, limit: number): Map<string, CertificateExtension> {
  cursor.open(limit, 0xa3);
  const outerEnd = cursor.end;
  cursor.open(outerEnd, tags.sequence);
  const { end } = cursor;
  const extensions = new Map<string, CertificateExtension>();
  while (cursor.at < end) {
    const { oid, critical, value } = readExtension(cursor, end);
    if (extensions.has(oid)) throw new DerError(`extension ${oid} occurs twice`);
    extensions.set(oid, { critical, value: oneElement(value, oid) });
  }
  cursor.close(outerEnd);
  return extensions;
}

function oneElement(value: Uint8Array, oid: string): Uint8Array {
  const cursor = new DerCursor(value);
  cursor.read(value.length);
  if (cursor.end !== value.length) throw new DerError(`extension ${oid} is not one DER element`);
  return value;
}
