/** What an OCSP answer says about one certificate among those it speaks of (RFC 6960 §4.2.1, SingleResponse). */
import { type RevocationReason, revocationReasons } from './crl-table.ts';
import { type CertIdHash, certIdHashes, certIdOf, type Subject } from './ocsp-request.ts';
import { type CertId, RevokedInfo, readStrictly, type SingleResponse } from './ocsp-structure.ts';

export interface CertificateStatus {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Milliseconds since the epoch. */
  readonly revokedAt?: number;
  readonly reason?: RevocationReason;
}

/** The answers about exactly this certificate: several when the responder gives one per hash. */
export function answersAbout(subject: Subject, responses: readonly SingleResponse[]): SingleResponse[] {
  return responses.filter(({ certId }) => isAbout(certId, subject));
}

/** Under whichever hash the responder chose: the signature binds its answer to the CA, this only finds it. */
function isAbout({ hashAlgorithm, ...stated }: CertId, subject: Subject): boolean {
  const hashes = Object.keys(certIdHashes) as CertIdHash[];
  const hash = hashes.find((name) => certIdHashes[name] === hashAlgorithm.algorithm);
  if (hash === undefined) return false;
  const own = certIdOf(subject, hash);
  return (
    isEqual(stated.issuerNameHash.buffer, own.issuerNameHash.buffer) &&
    isEqual(stated.issuerKeyHash.buffer, own.issuerKeyHash.buffer) &&
    isEqual(stated.serialNumber, own.serialNumber)
  );
}

function isEqual(one: ArrayBuffer, other: ArrayBuffer): boolean {
  return Buffer.from(one).equals(new Uint8Array(other));
}

/** Throws Error (of no particular kind) when the CHOICE is none of the three. */
export function readStatus({ certStatus }: SingleResponse): CertificateStatus {
  const der = Buffer.from(certStatus);
  const choice = der.toString('hex');
  if (choice === '8000') return { status: 'good' };
  if (choice === '8200') return { status: 'unknown' };
  if (der[0] !== 0xa1) throw new TypeError('not a CertStatus');
  // The implicit tag stands for that of the SEQUENCE.
  der[0] = 0x30;
  const { revocationTime, reason } = readStrictly(der, RevokedInfo);
  return {
    status: 'revoked',
    revokedAt: revocationTime.getTime(),
    ...(reason === undefined ? {} : { reason: revocationReasons[reason] ?? 'unspecified' }),
  };
}
