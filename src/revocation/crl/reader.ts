/** Reads a CRL (RFC 5280 §5.1), believing nothing in it before its signature has been verified. */
import { createHash } from 'node:crypto';
import type { Certificate } from '../../pki/certificate.ts';
import { DerCursor, DerError, tags } from '../../pki/der-cursor.ts';
import { canonicalText } from '../../pki/distribution-point.ts';
import { type DistinguishedName, formatName, readName } from '../../pki/name.ts';
import { readAlgorithm } from '../../pki/signature.ts';
import { weakKey } from '../../pki/strength.ts';
import { isSignedBy, type Signed, weakAlgorithm } from '../signature.ts';
import type { CrlProblem, CrlReading, CrlSnapshot } from './crl.ts';
import { EntryReader } from './entries.ts';
import { readCrlExtensions } from './extensions.ts';
import { derOf } from './pem.ts';
import { CrlRefusal } from './refusal.ts';
import { createTable, setSerial, sortTable } from './table.ts';

export interface CrlInput {
  /** DER or PEM; PEM is overwritten. */
  readonly bytes: Uint8Array;
  /** Certificates that may sign CRLs because a path leads to each: of one anchor, and of no other. */
  readonly issuers: readonly Certificate[];
}

const MAX_ELEMENT = 16_384;
const MAX_DETAIL = 500;

/** The CRL, or why it cannot be used. Throws nothing, whatever the bytes are. */
export function readCrl({ bytes, issuers }: CrlInput): CrlReading {
  try {
    return { ok: true, crl: read(derOf(bytes), issuers) };
  } catch (cause) {
    if (cause instanceof CrlRefusal) return refuse(cause.problem, cause.message);
    if (cause instanceof DerError) return refuse('unreadable', `not a CRL: ${cause.message}`);
    // What the ASN.1 library and V8 (too large an array) throw has no kind of its own.
    return refuse('unreadable', `not a CRL: ${cause instanceof Error ? cause.message : 'unknown'}`);
  }
}

function refuse(problem: CrlProblem, detail: string): CrlReading {
  return { ok: false, problem, detail: detail.slice(0, MAX_DETAIL) };
}

function read(der: Uint8Array, issuers: readonly Certificate[]): CrlSnapshot {
  const outline = readOutline(der);
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
    size: der.length,
    issuer,
    issuerText,
    signer: { sha256: signer.sha256, spkiPin: signer.spkiPin },
    ...extensions,
    thisUpdate,
    nextUpdate,
    ...readTable(der, newReader),
  };
}

interface Outline extends Signed {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** Contents of revokedCertificates; both ends are equal where it is absent. */
  readonly entriesStart: number;
  readonly entriesEnd: number;
  readonly extensions: Uint8Array | null;
}

/** CertificateList and TBSCertList, field by field; entries and extensions only where they lie. */
function readOutline(der: Uint8Array): Outline {
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
  if (nextUpdate !== null && nextUpdate < thisUpdate) throw new DerError('nextUpdate before thisUpdate');
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
  // RFC 5280 §5.1.1.2: otherwise one of the two would not be signed.
  if (Buffer.compare(algorithm, innerAlgorithm) !== 0)
    throw new DerError('two different signature algorithms');
  cursor.read(der.length, tags.bitString);
  cursor.close(der.length);
  const signature = cursor.contents();
  if (signature[0] !== 0) throw new DerError('a signature that is not whole octets');
  return {
    ...{ issuer, thisUpdate, nextUpdate, entriesStart, entriesEnd, extensions },
    bytes: der.subarray(signedStart, end),
    algorithm: readAlgorithm(algorithm),
    signature: signature.subarray(1),
  };
}

/** Nobody has vouched for the bytes yet: what is read into objects is bounded first. */
function small(element: Uint8Array): Uint8Array {
  if (element.length > MAX_ELEMENT) throw new DerError(`a name or an algorithm of ${element.length} octets`);
  return element;
}

/**
 * v1 may be written out, and have extensions: what they say counts whatever the version, since it can only limit the
 * CRL or name more that is revoked.
 */
function readVersion(cursor: DerCursor, end: number): void {
  cursor.read(end, tags.integer);
  const version = cursor.bytes[cursor.start] as number;
  if (cursor.end - cursor.start !== 1 || version > 1) throw new DerError('no CRL of v1 or v2');
}

function readTime(cursor: DerCursor, end: number): number {
  const time = cursor.readAnyTime(end);
  if (Number.isNaN(time)) throw new DerError(`a time that is none, at byte ${cursor.start}`);
  return time;
}

/** Whose key verifies the signature, of those that bear the issuer's name and may sign CRLs (RFC 5280 §6.3.3 (f), (g)). */
function findSigner(
  outline: Outline,
  { issuers, issuer, issuerText }: { issuers: readonly Certificate[]; issuer: string; issuerText: string },
): Certificate {
  const weak = weakAlgorithm(outline.algorithm);
  if (weak !== null) throw new CrlRefusal('weak_signature', weak);
  const named = issuers.filter(({ canonicalSubject }) => canonicalSubject === issuer);
  if (named.length === 0) throw new CrlRefusal('wrong_issuer', `no known certificate of ${issuerText}`);
  const objections = named.map(objectionTo);
  const able = named.filter((_, index) => objections[index] === null);
  if (able.length === 0) throw new CrlRefusal('wrong_issuer', `${issuerText}: ${objections.join('; ')}`);
  // Of several certificates for one key the one that lasts longest.
  const signer = able.sort((a, b) => b.notAfter - a.notAfter).find(({ x509 }) => isSignedBy(outline, x509));
  if (signer === undefined) throw new CrlRefusal('bad_signature', `not signed by ${issuerText}`);
  return signer;
}

function objectionTo(issuer: Certificate): string | null {
  if (issuer.keyUsage !== null && !issuer.keyUsage.has('cRLSign')) return 'its key usage lacks cRLSign';
  return weakKey(issuer);
}

/** Once over the entries to know how many there are and how wide, and once more to fill the table. */
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
