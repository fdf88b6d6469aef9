/** Checks a path whose signatures and path lengths are valid: dates, strength, purposes and name constraints. */
import type { Certificate } from '../pki/certificate.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { findPurposeFault } from './extended-key-usage.ts';
import { findForbiddenName } from './name-constraints.ts';
import { type Denial, deny } from './verdict.ts';

/** The leaf, the intermediates, the root. */
export type Path = readonly [Certificate, ...Certificate[]];

export interface TimedPath {
  readonly certificates: Path;
  /** The period in which every certificate on the path is valid, both ends included: milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The first fault, or null. `now`: milliseconds since the epoch. */
export function findPathFault(path: TimedPath, now: number): Denial | null {
  const [, ...cas] = path.certificates;
  return checkTime(path, now) ?? findFirst(cas, checkIssuer) ?? checkNames(path);
}

function findFirst(cas: readonly Certificate[], check: (ca: Certificate, isRoot: boolean) => Denial | null) {
  for (const [index, ca] of cas.entries()) {
    const fault = check(ca, index === cas.length - 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** trust/ refuses weak CAs too, but path validation does not rely on it. */
function checkIssuer(ca: Certificate, isRoot: boolean): Denial | null {
  const key = weakKey(ca);
  if (key !== null) return deny('weak_key', `${ca.subject} has ${key}`);
  // A root is trusted by its bytes, so its own signature does not matter.
  const signature = isRoot ? null : weakSignature(ca);
  if (signature !== null) return deny('weak_signature', `${ca.subject} has ${signature}`);
  // The extended key usage of a CA limits the certificates below it, as in OpenSSL, NSS and Windows.
  const purpose = findPurposeFault(ca);
  return purpose === null ? null : deny('wrong_purpose', `${ca.subject}: ${purpose}`);
}

function checkTime({ certificates, ...span }: TimedPath, now: number): Denial | null {
  if (now >= span.notBefore && now <= span.notAfter) return null;
  for (const { subject, notBefore, notAfter } of certificates) {
    if (now > notAfter) return deny('expired', `${subject} expired at ${new Date(notAfter).toISOString()}`);
    if (now < notBefore)
      return deny('not_yet_valid', `${subject} is not valid before ${new Date(notBefore).toISOString()}`);
  }
  return deny('expired', 'the validity periods of the certificates on the path do not overlap');
}

function checkNames({ certificates }: TimedPath): Denial | null {
  const forbidden = findForbiddenName(certificates);
  return forbidden === null ? null : deny('name_constraints', forbidden);
}
