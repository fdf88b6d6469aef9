/** What an OCSP answer says about one certificate among those it speaks of (RFC 6960 §4.2.1, SingleResponse). */
import { DerCursor, DerError } from '../../pki/der-cursor.ts';
import { serialStart } from '../../pki/serial.ts';
import { type RevocationReason, revocationReasons } from '../crl/table.ts';
import { type CertIdHash, type CertIdOctets, certIdHashes, certIdHashesOf, type Subject } from './request.ts';
import { readRevokedInfo, type SingleStatement, type StatedCertId } from './response-parser.ts';

export interface CertificateStatus {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Milliseconds since the epoch. */
  readonly revokedAt?: number;
  readonly reason?: RevocationReason;
}

/** Those about exactly this certificate: several when the responder gives one per hash. */
export function statementsAbout(subject: Subject, singles: readonly SingleStatement[]): SingleStatement[] {
  const known = new Map<CertIdHash, CertIdOctets>();
  return singles.filter(({ certId }) => {
    const name = hashes.find((hash) => certIdHashes[hash] === certId.hash);
    if (name === undefined) return false;
    const own = known.get(name) ?? certIdHashesOf(subject, name);
    known.set(name, own);
    return isAbout(certId, own);
  });
}

const hashes = Object.keys(certIdHashes) as CertIdHash[];

/**
 * Under whichever hash the responder chose: the signature binds its answer to the CA, this only finds it. The issuer's
 * name may be hashed as the certificate spells it or as the CA's own does: they are one name (RFC 5280 §7.1).
 */
function isAbout(stated: StatedCertId, own: CertIdOctets): boolean {
  return (
    own.issuerNames.some((hash) => hash.equals(stated.issuerNameHash)) &&
    own.issuerKey.equals(stated.issuerKeyHash) &&
    significant(own.serial).equals(significant(stated.serial))
  );
}

function significant(serial: Uint8Array): Buffer {
  return Buffer.from(serial.subarray(serialStart(serial, 0, serial.length)));
}

/** `der`: a CertStatus. Throws DerError when the CHOICE is none of the three. */
export function readStatus(der: Uint8Array): CertificateStatus {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length);
  const contents = cursor.contents();
  if (cursor.tag === 0x80 && contents.length === 0) return { status: 'good' };
  if (cursor.tag === 0x82 && contents.length === 0) return { status: 'unknown' };
  if (cursor.tag !== 0xa1) throw new DerError('not a CertStatus');
  const { revokedAt, reason } = readRevokedInfo(contents);
  return {
    status: 'revoked',
    revokedAt,
    ...(reason === null ? {} : { reason: revocationReasons[reason] ?? 'unspecified' }),
  };
}
