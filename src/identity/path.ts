/** Path validation of our own (RFC 5280 §6.1): from the leaf over the anchors' certificates, and over no others. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import { deny, type Verdict } from './verdict.ts';

/** A trust anchor as it was checked when it was read: the root first, then the CAs below it. */
export interface PathAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
}

export interface ValidatedPath {
  readonly anchor: string;
  /** The leaf, the CAs between, the root. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
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
  let outOfTime: ValidatedPath | null = null;
  for (const { name, certificates: held } of anchors) {
    for (const certificates of findPaths(leaf, held)) {
      const path = {
        anchor: name,
        certificates,
        notBefore: Math.max(...certificates.map(({ notBefore }) => notBefore)),
        notAfter: Math.min(...certificates.map(({ notAfter }) => notAfter)),
      };
      if (now >= path.notBefore && now <= path.notAfter)
        return checkLeaf(leaf) ?? { allow: true, permit: path };
      // A CA that was renewed under its key may stand beside the old one: an expired path is not the last word.
      outOfTime ??= path;
    }
  }
  if (outOfTime !== null) return denyTime(outOfTime, now);
  return deny('untrusted');
}

/** Depth first from the leaf up: names, key identifiers and signatures; every step leads closer to the root. */
function* findPaths(
  from: Certificate,
  anchor: readonly Certificate[],
  /** CAs between the leaf and `from`'s issuer that count against a path length limit (RFC 5280 §6.1.4 (l)). */
  below = 0,
): Generator<[Certificate, ...Certificate[]]> {
  for (const issuer of anchor) {
    if (issuer === from || !isIssuedBy(from, issuer)) continue;
    if (issuer.pathLength !== null && below > issuer.pathLength) continue;
    if (issuer === anchor[0]) {
      yield [from, issuer];
      continue;
    }
    // An anchor's CAs were read as a tree below its root (trust/bundle.ts); the bound is for what was not.
    if (below >= anchor.length) continue;
    for (const rest of findPaths(issuer, anchor, below + 1)) yield [from, ...rest];
  }
}

function denyTime(path: ValidatedPath, now: number) {
  for (const certificate of path.certificates) {
    const { subject, notBefore, notAfter } = certificate;
    if (now > notAfter) return deny('expired', `${subject} expired at ${new Date(notAfter).toISOString()}`);
    if (now < notBefore)
      return deny('not_yet_valid', `${subject} is not valid before ${new Date(notBefore).toISOString()}`);
  }
  return deny('expired', 'the certificates on the path are never valid together');
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
