/** The certificates of an anchor that cannot be used, or not now: the others serve, and these are named. Pure. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../pki/issued.ts';

export type PassedOverReason =
  /** Not a certificate that RFC 5280 allows. */
  | 'unreadable'
  /** Never usable in this anchor: a weak key, no CA, no path to the root. */
  | 'unusable'
  | 'expired'
  /** It serves from its notBefore on, without anything having to be done. */
  | 'not_yet_valid';

export interface PassedOver {
  readonly reason: PassedOverReason;
  /** A phrase that names the certificate, and its date where that is what is wrong. */
  readonly detail: string;
}

/** An anchor as far as time decides on it. */
export interface Dated {
  /** The root first, then all others, whatever their dates. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  /** Those that were left out when the anchor was read. */
  readonly passedOver: readonly PassedOver[];
}

/** Everything of the anchor that is not used now; `now`: milliseconds since the epoch. */
export function passedOverAt({ certificates, passedOver }: Dated, now: number): PassedOver[] {
  return [...passedOver, ...certificates.flatMap((certificate) => faultOfTime(certificate, now) ?? [])];
}

export function faultOfTime(
  { subject, notBefore, notAfter }: Pick<Certificate, 'subject' | 'notBefore' | 'notAfter'>,
  now: number,
): PassedOver | null {
  if (now > notAfter) return { reason: 'expired', detail: `${subject}: expired at ${isoTime(notAfter)}` };
  if (now < notBefore)
    return { reason: 'not_yet_valid', detail: `${subject}: is not valid before ${isoTime(notBefore)}` };
  return null;
}

/**
 * Whether a path through the anchor can hold now: from a CA below the root up to it, or from the root alone where there
 * is no CA below it.
 */
export function isUsable({ certificates }: Pick<Dated, 'certificates'>, now: number): boolean {
  const issuers = issuersWithin(certificates);
  const [root, ...others] = certificates;
  const below = others.filter((certificate) => certificate.isCa && !isSameCa(certificate, root));
  const holds = (certificate: Certificate, seen: readonly Certificate[]): boolean => {
    if (faultOfTime(certificate, now) !== null || seen.includes(certificate)) return false;
    if (isSameCa(certificate, root)) return true;
    return issuers.get(certificate)?.some((issuer) => holds(issuer, [...seen, certificate])) === true;
  };
  const ends = below.length > 0 ? below : certificates.filter((certificate) => isSameCa(certificate, root));
  return ends.some((certificate) => holds(certificate, []));
}

type Issuers = ReadonlyMap<Certificate, readonly Certificate[]>;

/** Who issued whom does not change, and is asked at every look at the readiness. */
const remembered = new WeakMap<readonly Certificate[], Issuers>();

function issuersWithin(certificates: readonly Certificate[]): Issuers {
  const known = remembered.get(certificates);
  if (known !== undefined) return known;
  const found = new Map(
    certificates.map((child) => [
      child,
      certificates.filter((parent) => parent !== child && parent.isCa && isIssuedBy(child, parent)),
    ]),
  );
  remembered.set(certificates, found);
  return found;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
