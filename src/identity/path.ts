/** Path validation of our own (RFC 5280 §6.1): from the leaf over the anchors' certificates, and over no others. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { findForbiddenName } from './name-constraints.ts';
import { explainUntrusted } from './untrusted.ts';
import { deny, type Verdict } from './verdict.ts';

/** A trust anchor as it was checked when it was read: the root first, then the CAs below it. */
export interface PathAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
}

type Path = readonly [Certificate, ...Certificate[]];

export interface ValidatedPath {
  readonly anchor: string;
  /** The leaf, the CAs between, the root. */
  readonly certificates: Path;
  /** The span in which every certificate on the path is valid: milliseconds since the epoch, both included. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyExtendedKeyUsage = '2.5.29.37.0';

/** The leaf's path to the first anchor it leads to in full, or the reason why there is none; `now` in ms. */
export function validatePath(
  leaf: Certificate,
  { anchors, now }: { anchors: readonly PathAnchor[]; now: number },
): Verdict<ValidatedPath> {
  // A CA is told apart even when no path leads from it: an anchor's own CA presented as a client is a finding.
  if (leaf.isCa) return deny('ca_as_leaf');
  let refusal: Refusal | null = null;
  for (const { name, certificates: held } of anchors) {
    for (const certificates of findPaths([leaf], held)) {
      const path = {
        anchor: name,
        certificates,
        notBefore: Math.max(...certificates.map(({ notBefore }) => notBefore)),
        notAfter: Math.min(...certificates.map(({ notAfter }) => notAfter)),
      };
      const fault = checkTime(path, now) ?? checkNames(path);
      if (fault === null) return checkLeaf(leaf) ?? { allow: true, permit: path };
      // A CA that was renewed under its key may stand beside the old one: a path with a fault is not the last word.
      refusal ??= fault;
    }
  }
  return refusal ?? deny('untrusted', explainUntrusted(leaf, anchors));
}

type Refusal = ReturnType<typeof deny>;

/** Depth first from the leaf up: names, key identifiers, key usage and signatures, no certificate twice. */
function* findPaths(path: Path, anchor: readonly Certificate[]): Generator<Path> {
  const [from = path[0]] = path.slice(-1);
  // Certificates that a CA issues to itself for a new key do not count (RFC 5280 §6.1.4 (l)), nor does the leaf.
  const below = path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length;
  for (const issuer of anchor) {
    if (path.includes(issuer) || !mayIssue(issuer) || !isIssuedBy(from, issuer)) continue;
    if (issuer.pathLength !== null && below > issuer.pathLength) continue;
    if (issuer === anchor[0]) yield [...path, issuer];
    else yield* findPaths([...path, issuer], anchor);
  }
}

/**
 * What makes an issuer besides its name and key (RFC 5280 §6.1.4 (k), (n), (o)). Anchors hold no other CAs, but may hold
 * certificates that only sign CRLs (trust/bundle.ts).
 */
function mayIssue({ isCa, keyUsage, unprocessedCritical }: Certificate): boolean {
  return isCa && keyUsage?.has('keyCertSign') !== false && unprocessedCritical.length === 0;
}

function checkTime(path: ValidatedPath, now: number): Refusal | null {
  if (now >= path.notBefore && now <= path.notAfter) return null;
  for (const { subject, notBefore, notAfter } of path.certificates) {
    if (now > notAfter) return deny('expired', `${subject} expired at ${new Date(notAfter).toISOString()}`);
    if (now < notBefore)
      return deny('not_yet_valid', `${subject} is not valid before ${new Date(notBefore).toISOString()}`);
  }
  return deny('expired', 'the certificates on the path are never valid together');
}

function checkNames({ certificates }: ValidatedPath): Refusal | null {
  const forbidden = findForbiddenName(certificates);
  return forbidden === null ? null : deny('name_constraints', forbidden);
}

/** What the leaf itself must be, once its path holds. No EKU and no SAN are fine: Thredd's have neither. */
function checkLeaf(leaf: Certificate) {
  const key = weakKey(leaf);
  if (key !== null) return deny('weak_key', key);
  const signature = weakSignature(leaf);
  if (signature !== null) return deny('weak_signature', signature);
  if (leaf.unprocessedCritical.length > 0)
    return deny('unsupported_extension', `the leaf has ${leaf.unprocessedCritical.join(', ')}`);
  const { extendedKeyUsage: purposes, keyUsage } = leaf;
  if (purposes !== null && !purposes.includes(clientAuth) && !purposes.includes(anyExtendedKeyUsage))
    return deny(
      'wrong_purpose',
      `the leaf’s extended key usage is ${purposes.join(', ')}, without clientAuth`,
    );
  // The client signs the handshake (RFC 8446 §4.4.2.2).
  if (keyUsage !== null && !keyUsage.has('digitalSignature'))
    return deny('wrong_purpose', 'the leaf’s key usage lacks digitalSignature');
  return null;
}
