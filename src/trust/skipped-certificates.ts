/** The certificates of an anchor that cannot be used, or not at present; the others stay in use. Pure. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../pki/issued.ts';

export type SkipReason =
  /** Not a certificate that RFC 5280 allows. */
  | 'unreadable'
  /** Never usable in this anchor: a weak key, not a CA, no path to the root. */
  | 'unusable'
  | 'expired'
  /** Used from its notBefore on, without any action. */
  | 'not_yet_valid';

export interface SkippedCertificate {
  readonly reason: SkipReason;
  /** A phrase that names the certificate, and its date if that is the reason. */
  readonly detail: string;
}

/** The part of an anchor whose use depends on the time. */
export interface DatedAnchor {
  /** The root first, then all others, whatever their dates. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  /** Those left out when the anchor was read. */
  readonly skipped: readonly SkippedCertificate[];
}

/** Every certificate of the anchor that is not used at `now`, in milliseconds since the epoch. */
export function skippedAt({ certificates, skipped }: DatedAnchor, now: number): SkippedCertificate[] {
  return [...skipped, ...certificates.flatMap((certificate) => outsideValidity(certificate, now) ?? [])];
}

/** Why a certificate is not used at `now`; null: it is within its validity period. */
export function outsideValidity(
  { subject, notBefore, notAfter }: Pick<Certificate, 'subject' | 'notBefore' | 'notAfter'>,
  now: number,
): SkippedCertificate | null {
  if (now > notAfter) return { reason: 'expired', detail: `${subject}: expired at ${isoTime(notAfter)}` };
  if (now < notBefore)
    return { reason: 'not_yet_valid', detail: `${subject}: is not valid before ${isoTime(notBefore)}` };
  return null;
}

/**
 * Whether a path through the anchor is valid at `now`: from a CA below the root up to the root, or the root alone if
 * there is no CA below it.
 */
export function isUsable({ certificates }: Pick<DatedAnchor, 'certificates'>, now: number): boolean {
  const issuers = issuersWithin(certificates);
  const [root, ...others] = certificates;
  const below = others.filter((certificate) => certificate.isCa && !isSameCa(certificate, root));
  const isValid = (certificate: Certificate, path: readonly Certificate[]): boolean => {
    if (outsideValidity(certificate, now) !== null || path.includes(certificate)) return false;
    if (isSameCa(certificate, root)) return true;
    return issuers.get(certificate)?.some((issuer) => isValid(issuer, [...path, certificate])) === true;
  };
  const ends = below.length > 0 ? below : certificates.filter((certificate) => isSameCa(certificate, root));
  return ends.some((certificate) => isValid(certificate, []));
}

type Issuers = ReadonlyMap<Certificate, readonly Certificate[]>;

/** Issuers never change, and every readiness check needs them: signatures are verified once per anchor. */
const cachedIssuers = new WeakMap<readonly Certificate[], Issuers>();

function issuersWithin(certificates: readonly Certificate[]): Issuers {
  const cached = cachedIssuers.get(certificates);
  if (cached !== undefined) return cached;
  const found = new Map(
    certificates.map((child) => [
      child,
      certificates.filter((parent) => parent !== child && parent.isCa && isIssuedBy(child, parent)),
    ]),
  );
  cachedIssuers.set(certificates, found);
  return found;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
