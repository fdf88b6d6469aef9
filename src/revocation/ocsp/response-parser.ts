/**
 * Parses an OCSP response (RFC 6960 §4.2.1) without verifying it. Accepts encodings that DER forbids, such as explicit
 * DEFAULT values, empty lists and fractions of seconds: the signature is verified over the bytes as received.
 */
import { DerCursor, DerError, formatOid, tags, trimEnd } from '../../pki/der-cursor.ts';
import { readCanonicalText } from '../../pki/distribution-point.ts';
import { type Extension, readExtension } from '../../pki/extension.ts';
import { readAlgorithm } from '../../pki/signature.ts';
import type { Signed } from '../signature.ts';
import { basicResponseType } from './structure.ts';

export interface ParsedCertId {
  /** OID. */
  readonly hash: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
}

/** Times are milliseconds since the epoch. */
export interface ParsedSingleResponse {
  readonly certId: ParsedCertId;
  /** DER of the CertStatus. */
  readonly status: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  readonly extensions: readonly Extension[];
}

/** A ResponderID: exactly one of the two is not null. */
export interface ParsedResponderId {
  /** Canonical name (RFC 5280 §7.1). */
  readonly name: string | null;
  /** SHA-1 of the public key. */
  readonly keyHash: Uint8Array | null;
}

export interface ParsedBasicResponse {
  /** ResponseData as received, and its signature. */
  readonly signed: Signed;
  readonly responder: ParsedResponderId;
  readonly singles: readonly ParsedSingleResponse[];
  readonly extensions: readonly Extension[];
  /** DER of the certificates in the response. */
  readonly certificates: readonly Uint8Array[];
}

export type ParsedOcspResponse =
  | { readonly status: 0; readonly basic: ParsedBasicResponse }
  /** OCSPResponseStatus of an error. */
  | { readonly status: number; readonly basic: null };

/** Throws DerError if the bytes are not an OCSPResponse of the basic type. */
export function parseOcspResponse(bytes: Uint8Array): ParsedOcspResponse {
  const der = trimEnd(bytes);
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.enumerated);
  const [status = -1] = cursor.contents();
  if (cursor.end - cursor.start !== 1) throw new DerError('a response status that is not one octet');
  if (status !== 0) return { status, basic: null };
  cursor.openLast(der.length, 0xa0);
  cursor.openLast(der.length, tags.sequence);
  cursor.read(der.length, tags.oid);
  const type = formatOid(cursor.contents());
  if (type !== basicResponseType) throw new DerError(`the response type ${type} is not supported`);
  cursor.openLast(der.length, tags.octetString);
  return { status: 0, basic: readBasic(cursor.contents()) };
}

function readBasic(der: Uint8Array): ParsedBasicResponse {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  const bytes = cursor.element(der.length, tags.sequence);
  const algorithm = readAlgorithm(cursor.element(der.length, tags.sequence));
  cursor.read(der.length, tags.bitString);
  const [unused, ...signature] = cursor.contents();
  if (unused !== 0) throw new DerError('the signature is not a whole number of octets');
  const certificates: Uint8Array[] = [];
  if (cursor.at < der.length) {
    cursor.openLast(der.length, 0xa0);
    cursor.openLast(der.length, tags.sequence);
    while (cursor.at < der.length) certificates.push(cursor.element(der.length));
  }
  const signed = { bytes, algorithm, signature: Uint8Array.from(signature) };
  return { signed, certificates, ...readData(bytes) };
}

function readData(bytes: Uint8Array): Omit<ParsedBasicResponse, 'signed' | 'certificates'> {
  const cursor = new DerCursor(bytes);
  cursor.openLast(bytes.length, tags.sequence);
  const end = bytes.length;
  if (cursor.peek(end) === 0xa0) cursor.read(end);
  const responder = readResponder(cursor, end);
  // producedAt: must be a valid time, but nothing depends on it.
  readTime(cursor, end);
  cursor.open(end, tags.sequence);
  const singlesEnd = cursor.end;
  const singles: ParsedSingleResponse[] = [];
  while (cursor.at < singlesEnd) singles.push(readSingle(cursor, singlesEnd));
  return { responder, singles, extensions: readExtensions(cursor, end) };
}

function readResponder(cursor: DerCursor, limit: number): ParsedResponderId {
  cursor.read(limit);
  const contents = cursor.contents();
  if (cursor.tag === 0xa1) return { name: readCanonicalText(contents), keyHash: null };
  if (cursor.tag !== 0xa2) throw new DerError(`no ResponderID: tag ${cursor.tag}`);
  const inner = new DerCursor(contents);
  inner.openLast(contents.length, tags.octetString);
  return { name: null, keyHash: inner.contents() };
}

function readSingle(cursor: DerCursor, limit: number): ParsedSingleResponse {
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

function readCertId(cursor: DerCursor, limit: number): ParsedCertId {
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

/** `[1] Extensions`, the last field of a structure; empty if absent. */
function readExtensions(cursor: DerCursor, end: number): Extension[] {
  const extensions: Extension[] = [];
  if (cursor.at === end) return extensions;
  cursor.openLast(end, 0xa1);
  cursor.openLast(end, tags.sequence);
  while (cursor.at < end) extensions.push(readExtension(cursor, end));
  return extensions;
}

function readTime(cursor: DerCursor, limit: number): number {
  if (cursor.peek(limit) !== tags.generalizedTime)
    throw new DerError(`no GeneralizedTime, at byte ${cursor.at}`);
  const time = cursor.readAnyTime(limit);
  if (Number.isNaN(time)) throw new DerError(`an invalid time, at byte ${cursor.start}`);
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
