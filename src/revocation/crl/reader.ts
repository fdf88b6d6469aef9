/** Parses a CRL (RFC 5280 §5.1) and verifies its signature before it evaluates extensions and entries. */
import { createHash } from 'node:crypto';
import type { Certificate } from '../../pki/certificate.ts';
import { DerCursor, DerError, tags } from '../../pki/der-cursor.ts';
import { type DistinguishedName, formatName, readName } from '../../pki/distinguished-name.ts';
import { canonicalText } from '../../pki/distribution-point.ts';
import { readAlgorithm } from '../../pki/signature.ts';
import { weakKey } from '../../pki/strength.ts';
import { isSignedBy, type Signed, weakAlgorithm } from '../signature.ts';
import type { CrlReading, CrlSnapshot } from './crl.ts';
import { EntryReader } from './entries.ts';
import { readCrlExtensions } from './extensions.ts';
import { derOf } from './pem.ts';
import { CrlRefusal, type CrlRefusalReason } from './refusal.ts';
import { maySignCrls } from './signer.ts';
import { createTable, setSerial, sortTable } from './table.ts';

export interface CrlInput {
  /** DER or PEM; PEM is overwritten. */
  readonly bytes: Uint8Array;
  /** Certificates of one trust anchor, each with a valid path to it: one of them must have signed the CRL. */
  readonly issuers: readonly Certificate[];
}

const MAX_ELEMENT = 16_384;
const MAX_DETAIL = 500;

/** The CRL, or why it cannot be used. Never throws. */
export function readCrl({ bytes, issuers }: CrlInput): CrlReading {
  try {
    return { ok: true, crl: read(derOf(bytes), issuers) };
  } catch (cause) {
    if (cause instanceof CrlRefusal) return refuse(cause.problem, cause.message);
    if (cause instanceof DerError) return refuse('unreadable', `not a CRL: ${cause.message}`);
    // The ASN.1 library, and V8 for an array that is too large, throw plain errors.
    return refuse('unreadable', `not a CRL: ${cause instanceof Error ? cause.message : 'unknown'}`);
  }
}

function refuse(problem: CrlRefusalReason, detail: string): CrlReading {
  return { ok: false, problem, detail: detail.slice(0, MAX_DETAIL) };
}

function read(der: Uint8Array, issuers: readonly Certificate[]): CrlSnapshot {
  const outline = readCrlOutline(der);
  const issuer = canonicalText(outline.issuer);
  const issuerText = formatName(outline.issuer);
  const signer = findSigner(outline, { issuers, issuer, issuerText });
  const extensions = readCrlExtensions(outline.extensions, issuer);
  const { entriesStart, entriesEnd, thisUpdate, nextUpdate } = outline;
  const newReader = (): EntryReader =>
    new EntryReader(new DerCursor(der, entriesStart), entriesEnd, {
      indirect: extensions.scope.indirect,
      delta: extensions.baseNumber !== null,
      issuer,
    });
  return {
    sha256: createHash('sha256').update(der).digest('hex'),
    issuer,
    issuerText,
    signer: { spkiPin: signer.spkiPin },
    ...extensions,
    thisUpdate,
    nextUpdate,
    ...readTable(der, newReader),
  };
}

export interface CrlOutline extends Signed {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** Contents of revokedCertificates; both offsets are equal if it is absent. */
  readonly entriesStart: number;
  readonly entriesEnd: number;
  readonly extensions: Uint8Array | null;
}

/**
 * CertificateList and TBSCertList, field by field; of entries and extensions only the offsets. Nothing is verified. Throws
 * DerError.
 */
export function readCrlOutline(der: Uint8Array): CrlOutline {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  const signedStart = cursor.at;
  cursor.open(der.length, tags.sequence);
  const { end } = cursor;

  if (cursor.peek(end) === tags.integer) readVersion(cursor, end);
  const innerAlgorithm = small(cursor.element(end, tags.sequence));
  const issuer = readName(small(cursor.element(end, tags.sequence)));
  const thisUpdate = readTime(cursor, end);
  const hasNext = cursor.peek(end) === tags.utcTime || cursor.peek(end) === tags.generalizedTime;
  const nextUpdate = hasNext ? readTime(cursor, end) : null;
  if (nextUpdate !== null && nextUpdate < thisUpdate) throw new DerError('nextUpdate is before thisUpdate');
  let [entriesStart, entriesEnd] = [end, end];
  if (cursor.peek(end) === tags.sequence) {
    cursor.read(end);
    [entriesStart, entriesEnd] = [cursor.start, cursor.end];
  }
  let extensions: Uint8Array | null = null;
  if (cursor.peek(end) === 0xa0) {
    cursor.read(end);
    extensions = cursor.contents();
  }
  cursor.close(end);

  const algorithm = small(cursor.element(der.length, tags.sequence));
  // RFC 5280 §5.1.1.2: the outer one is not covered by the signature.
  if (Buffer.compare(algorithm, innerAlgorithm) !== 0)
    throw new DerError('the two signature algorithms differ');
  cursor.read(der.length, tags.bitString);
  cursor.close(der.length);
  const signature = cursor.contents();
  if (signature[0] !== 0) throw new DerError('the signature is not a whole number of octets');
  return {
    ...{ issuer, thisUpdate, nextUpdate, entriesStart, entriesEnd, extensions },
    bytes: der.subarray(signedStart, end),
    algorithm: readAlgorithm(algorithm),
    signature: signature.subarray(1),
  };
}

/** The signature is not verified yet: limits the size of what is parsed into objects. */
function small(element: Uint8Array): Uint8Array {
  if (element.length > MAX_ELEMENT) throw new DerError(`a name or an algorithm of ${element.length} octets`);
  return element;
}

/**
 * Accepts an explicit v1, and extensions in a v1 CRL: extensions count whatever the version, since they only limit the
 * CRL or add revocations.
 */
function readVersion(cursor: DerCursor, end: number): void {
  cursor.read(end, tags.integer);
  const version = cursor.bytes[cursor.start] as number;
  if (cursor.end - cursor.start !== 1 || version > 1) throw new DerError('the version is neither v1 nor v2');
}

function readTime(cursor: DerCursor, end: number): number {
  const time = cursor.readAnyTime(end);
  if (Number.isNaN(time)) throw new DerError(`an invalid time, at byte ${cursor.start}`);
  return time;
}

/** The certificate with the issuer's name that may sign CRLs and verifies the signature (RFC 5280 §6.3.3 (f), (g)). */
function findSigner(
  outline: CrlOutline,
  { issuers, issuer, issuerText }: { issuers: readonly Certificate[]; issuer: string; issuerText: string },
): Certificate {
  const weak = weakAlgorithm(outline.algorithm);
  if (weak !== null) throw new CrlRefusal('weak_signature', weak);
  const named = issuers.filter(({ canonicalSubject }) => canonicalSubject === issuer);
  if (named.length === 0)
    throw new CrlRefusal(
      'wrong_issuer',
      `no certificate of the trust anchor has the issuer's name, ${issuerText}`,
    );
  const objections = named.map(objectionTo);
  const able = named.filter((_, index) => objections[index] === null);
  if (able.length === 0) throw new CrlRefusal('wrong_issuer', `${issuerText}: ${objections.join('; ')}`);
  const signer = able.find(({ x509 }) => isSignedBy(outline, x509));
  if (signer === undefined)
    throw new CrlRefusal('bad_signature', `not signed by a key of ${issuerText} that the trust anchor has`);
  return signer;
}

function objectionTo(issuer: Certificate): string | null {
  return maySignCrls(issuer) ? weakKey(issuer) : 'its key usage lacks cRLSign';
}

/** Reads the entries twice: for their number and the longest serial number, then to fill the table. */
function readTable(der: Uint8Array, newReader: () => EntryReader): Pick<CrlSnapshot, 'table' | 'unclear'> {
  const first = newReader();
  let [count, width] = [0, 1];
  while (first.next()) {
    count++;
    width = Math.max(width, first.serialEnd - first.serialStart);
  }
  const table = createTable({ count, width, issuers: first.issuers });
  const entry = newReader();
  for (let row = 0; entry.next(); row++) {
    setSerial(table, row, { bytes: der, start: entry.serialStart, end: entry.serialEnd });
    table.dates[row] = entry.revokedAt;
    table.marks[row] = entry.issuer * 256 + entry.reason;
  }
  sortTable(table);
  return { table, unclear: first.unclear };
}
