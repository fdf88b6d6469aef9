/** The path of a client that no CA vouches for (`trust.mode: registered`): its certificate alone. */
import type { Certificate } from '../pki/certificate.ts';
import { findLeafFault } from './leaf-checks.ts';
import type { ValidatedPath } from './path.ts';
import { findPathFault } from './path-checks.ts';
import { registeredAnchor } from './registration.ts';
import { deny, type Verdict } from './verdict.ts';

/**
 * Dates, strength, contents and purpose of the leaf, which registration.ts found in the set. Its signature is not verified:
 * a self-signed certificate proves nothing by it (RFC 8705 §2.2). `now`: milliseconds since the epoch.
 */
export function validateAlone(leaf: Certificate, now: number): Verdict<ValidatedPath> {
  // `openssl req -x509` marks a self-signed certificate as a CA. That means nothing where no path is built; the
  // certificate of a CA below another one is still presented by mistake.
  if (leaf.isCa && !leaf.isSelfIssued) return deny('ca_as_leaf');
  const { notBefore, notAfter } = leaf;
  const path = { certificates: [leaf] as const, notBefore, notAfter };
  const fault = findPathFault(path, now) ?? findLeafFault(leaf);
  return fault ?? { allow: true, permit: { ...path, anchor: registeredAnchor, hasNamesakes: false } };
}
