/** The parts of an OCSP response about one certificate, and their status (RFC 6960 §4.2.1, SingleResponse). */
import { DerCursor, DerError } from '../../pki/der-cursor.ts';
import { serialStart } from '../../pki/serial.ts';
import { type RevocationReason, revocationReasons } from '../reasons.ts';
import {
  type CertIdHash,
  type CertIdOctets,
  type CertIdSubject,
  certIdHashes,
  certIdHashesOf,
} from './request.ts';
import { type ParsedCertId, type ParsedSingleResponse, readRevokedInfo } from './response-parser.ts';

export interface CertificateStatus {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Milliseconds since the epoch. */
  readonly revokedAt?: number;
  readonly reason?: RevocationReason;
}

/** Of two statuses at the same time the more severe one counts. */
export const severity = { good: 0, unknown: 1, revoked: 2 } as const;

/** The parts about exactly this certificate: several if the responder sends one per hash. */
export function responsesAbout(
  subject: CertIdSubject,
  singles: readonly ParsedSingleResponse[],
): ParsedSingleResponse[] {
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
 * Accepts every hash: the signature binds the response to the CA, the CertID only finds it. The issuer's name may be
 * hashed as encoded in the certificate or in the CA's own: both are the same name (RFC 5280 §7.1).
 */
function isAbout(parsed: ParsedCertId, own: CertIdOctets): boolean {
  return (
    own.issuerNames.some((hash) => hash.equals(parsed.issuerNameHash)) &&
    own.issuerKey.equals(parsed.issuerKeyHash) &&
    significant(own.serial).equals(significant(parsed.serial))
  );
}

function significant(serial: Uint8Array): Buffer {
  return Buffer.from(serial.subarray(serialStart(serial, 0, serial.length)));
}

/** `der`: a CertStatus. Throws DerError if it is none of the three choices. */
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
