/** What speaks against a path whose names, signatures and path lengths hold: dates, strength, purposes, names. */
import type { Certificate } from '../pki/certificate.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { findForbiddenName } from './name-constraints.ts';
import { purposeFault } from './purpose.ts';
import { type Denial, deny } from './verdict.ts';

/** The leaf, the CAs between, the root. */
export type Path = readonly [Certificate, ...Certificate[]];

export interface TimedPath {
  readonly certificates: Path;
  /** The span in which every certificate on the path is valid: milliseconds since the epoch, both included. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `now`: milliseconds since the epoch. */
export function findPathFault(path: TimedPath, now: number): Denial | null {
  const [, ...cas] = path.certificates;
  return checkTime(path, now) ?? firstOf(cas, checkIssuer) ?? checkNames(path);
}

function firstOf(cas: readonly Certificate[], check: (ca: Certificate, isRoot: boolean) => Denial | null) {
  for (const [index, ca] of cas.entries()) {
    const fault = check(ca, index === cas.length - 1);
    if (fault !== null) return fault;
  }
  return null;
}

/** The anchor's loader refuses weak CAs too; a path does not rely on it. */
function checkIssuer(ca: Certificate, isRoot: boolean): Denial | null {
  const key = weakKey(ca);
  if (key !== null) return deny('weak_key', `${ca.subject} has ${key}`);
  // A root is trusted for its bytes: nothing relies on the signature that it puts under itself.
  const signature = isRoot ? null : weakSignature(ca);
  if (signature !== null) return deny('weak_signature', `${ca.subject} has ${signature}`);
  // In a CA the extended key usage limits what may be below it, as OpenSSL, NSS and Windows read it.
  const purpose = purposeFault(ca);
  return purpose === null ? null : deny('wrong_purpose', `${ca.subject}: ${purpose}`);
}

function checkTime({ certificates, ...span }: TimedPath, now: number): Denial | null {
  if (now >= span.notBefore && now <= span.notAfter) return null;
  for (const { subject, notBefore, notAfter } of certificates) {
    if (now > notAfter) return deny('expired', `${subject} expired at ${new Date(notAfter).toISOString()}`);
    if (now < notBefore)
      return deny('not_yet_valid', `${subject} is not valid before ${new Date(notBefore).toISOString()}`);
  }
  return deny('expired', 'the certificates on the path are never valid together');
}

function checkNames({ certificates }: TimedPath): Denial | null {
  const forbidden = findForbiddenName(certificates);
  return forbidden === null ? null : deny('name_constraints', forbidden);
}
