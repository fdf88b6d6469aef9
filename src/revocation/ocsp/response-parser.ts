/**
 * Reads an OCSP response (RFC 6960 §4.2.1) where it lies. What is signed is checked as the bytes that came, so DEFAULT
 * values that are written out, empty lists and fractions of seconds, which DER leaves away, change nothing.
 */
import { DerCursor, DerError, formatOid, tags, trimEnd } from '../../pki/der-cursor.ts';
import { readCanonicalText } from '../../pki/distribution-point.ts';
import { readAlgorithm } from '../../pki/signature.ts';
import type { Signed } from '../signature.ts';
import { basicResponseType } from './structure.ts';

export interface StatedExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export interface StatedCertId {
  /** OID. */
  readonly hash: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
}

/** Times are milliseconds since the epoch. */
export interface SingleStatement {
  readonly certId: StatedCertId;
  /** CertStatus, whole. */
  readonly status: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  readonly extensions: readonly StatedExtension[];
}

/** One of the two. */
export interface StatedResponder {
  /** A name in its canonical spelling (RFC 5280 §7.1). */
  readonly name: string | null;
  /** SHA-1 of the public key. */
  readonly keyHash: Uint8Array | null;
}

export interface BasicStatement {
  /** ResponseData as it came, and the signature on it. */
  readonly signed: Signed;
  readonly responder: StatedResponder;
  readonly producedAt: number;
  readonly singles: readonly SingleStatement[];
  readonly extensions: readonly StatedExtension[];
  /** DER of the certificates that came along. */
  readonly certificates: readonly Uint8Array[];
}

export type OcspStatement =
  | { readonly status: 0; readonly basic: BasicStatement }
  /** OCSPResponseStatus: the responder states an error instead. */
  | { readonly status: number; readonly basic: null };

/** Throws DerError where the bytes are no OCSPResponse of the basic type. */
export function readOcspStatement(bytes: Uint8Array): OcspStatement {
  const der = trimEnd(bytes);
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.enumerated);
  const [status = -1] = cursor.contents();
  if (cursor.end - cursor.start !== 1) throw new DerError('a response status of another length');
  if (status !== 0) return { status, basic: null };
  cursor.openLast(der.length, 0xa0);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.oid);
  const type = formatOid(cursor.contents());
  if (type !== basicResponseType) throw new DerError(`a response of type ${type}`);
  cursor.openLast(der.length, tags.octetString);
  return { status: 0, basic: readBasic(cursor.contents()) };
}

function readBasic(der: Uint8Array): BasicStatement {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  const bytes = cursor.element(der.length, tags.sequence);
  const algorithm = readAlgorithm(cursor.element(der.length, tags.sequence));
  cursor.read(der.length, tags.bitString);
  const [unused, ...signature] = cursor.contents();
  if (unused !== 0) throw new DerError('a signature that is not whole octets');
  const certificates: Uint8Array[] = [];
  if (cursor.at < der.length) {
    cursor.openLast(der.length, 0xa0);
    cursor.openLast(der.length, tags.sequence);
    while (cursor.at < der.length) certificates.push(cursor.element(der.length));
  }
  const signed = { bytes, algorithm, signature: Uint8Array.from(signature) };
  return { signed, certificates, ...readData(bytes) };
}

function readData(bytes: Uint8Array): Omit<BasicStatement, 'signed' | 'certificates'> {
  const cursor = new DerCursor(bytes);
  cursor.openLast(bytes.length, tags.sequence);
  const end = bytes.length;
  if (cursor.peek(end) === 0xa0) cursor.read(end);
  const responder = readResponder(cursor, end);
  const producedAt = readTime(cursor, end);
  cursor.open(end, tags.sequence);
  const singlesEnd = cursor.end;
  const singles: SingleStatement[] = [];
  while (cursor.at < singlesEnd) singles.push(readSingle(cursor, singlesEnd));
  return { responder, producedAt, singles, extensions: readExtensions(cursor, end) };
}

function readResponder(cursor: DerCursor, limit: number): StatedResponder {
  cursor.read(limit);
  const contents = cursor.contents();
  if (cursor.tag === 0xa1) return { name: readCanonicalText(contents), keyHash: null };
  if (cursor.tag !== 0xa2) throw new DerError(`no responder: tag ${cursor.tag}`);
  const inner = new DerCursor(contents);
  inner.openLast(contents.length, tags.octetString);
  return { name: null, keyHash: inner.contents() };
}

function readSingle(cursor: DerCursor, limit: number): SingleStatement {
  cursor.open(limit, tags.sequence);
  const { end } = cursor;
  const certId = readCertId(cursor, end);
  const status = cursor.element(end);
  const thisUpdate = readTime(cursor, end);
  let nextUpdate: number | null = null;
  if (cursor.peek(end) === 0xa0) {
    cursor.open(end);
    const timeEnd = cursor.end;
    nextUpdate = readTime(cursor, timeEnd);
    cursor.close(timeEnd);
  }
  return { certId, status, thisUpdate, nextUpdate, extensions: readExtensions(cursor, end) };
}

function readCertId(cursor: DerCursor, limit: number): StatedCertId {
  cursor.open(limit, tags.sequence);
  const { end } = cursor;
  const { oid: hash } = readAlgorithm(cursor.element(end, tags.sequence));
  cursor.read(end, tags.octetString);
  const issuerNameHash = cursor.contents();
  cursor.read(end, tags.octetString);
  const issuerKeyHash = cursor.contents();
  cursor.read(end, tags.integer);
  cursor.close(end);
  return { hash, issuerNameHash, issuerKeyHash, serial: cursor.contents() };
}

/** `[1] Extensions`, at the end of what holds them; empty where they are absent. */
function readExtensions(cursor: DerCursor, end: number): StatedExtension[] {
  const extensions: StatedExtension[] = [];
  if (cursor.at === end) return extensions;
  cursor.openLast(end, 0xa1);
  cursor.openLast(end, tags.sequence);
  while (cursor.at < end) {
    cursor.open(end, tags.sequence);
    const extensionEnd = cursor.end;
    cursor.read(extensionEnd, tags.oid);
    const oid = formatOid(cursor.contents());
    const critical = cursor.peek(extensionEnd) === tags.boolean && cursor.readBoolean(extensionEnd);
    cursor.read(extensionEnd, tags.octetString);
    cursor.close(extensionEnd);
    extensions.push({ oid, critical, value: cursor.contents() });
  }
  return extensions;
}

function readTime(cursor: DerCursor, limit: number): number {
  if (cursor.peek(limit) !== tags.generalizedTime) throw new DerError(`no time, at byte ${cursor.at}`);
  const time = cursor.readAnyTime(limit);
  if (Number.isNaN(time)) throw new DerError(`a time that is none, at byte ${cursor.start}`);
  return time;
}

/** RevokedInfo, the contents of `[1]` in a CertStatus. */
export function readRevokedInfo(contents: Uint8Array): { revokedAt: number; reason: number | null } {
  const cursor = new DerCursor(contents);
  const end = contents.length;
  const revokedAt = readTime(cursor, end);
  let reason: number | null = null;
  if (cursor.at < end) {
    cursor.openLast(end, 0xa0);
    cursor.openLast(end, tags.enumerated);
    const [code = -1] = cursor.contents();
    reason = end - cursor.start === 1 ? code : -1;
  }
  return { revokedAt, reason };
}
