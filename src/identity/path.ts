/** Path validation of our own (RFC 5280 §6.1): from the leaf over the anchors' certificates, and over no others. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../pki/issued.ts';
import { findLeafFault } from './leaf-checks.ts';
import { findPathFault, type Path, type TimedPath } from './path-checks.ts';
import { explainUntrusted } from './untrusted-detail.ts';
import { type Denial, deny, type Verdict } from './verdict.ts';

/** A trust anchor as it was checked when it was read: the root first, then the CAs below it. */
export interface PathAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
}

export interface ValidatedPath extends TimedPath {
  readonly anchor: string;
  /** Another certificate of the anchors has the name of a CA on the path: OpenSSL may have judged that one instead. */
  readonly hasNamesakes: boolean;
}

/** The leaf's path to the first anchor it leads to in full, or the reason why there is none; `now` in ms. */
export function validatePath(
  leaf: Certificate,
  { anchors, now }: { anchors: readonly PathAnchor[]; now: number },
): Verdict<ValidatedPath> {
  // A CA is told apart even when no path leads from it: an anchor's own CA presented as a client is a finding.
  if (leaf.isCa) return deny('ca_as_leaf');
  let refusal: Denial | null = null;
  const obstacles: string[] = [];
  for (const { name, certificates: held } of anchors) {
    for (const certificates of findPaths([leaf], { held, obstacles })) {
      const path = {
        anchor: name,
        certificates,
        notBefore: Math.max(...certificates.map(({ notBefore }) => notBefore)),
        notAfter: Math.min(...certificates.map(({ notAfter }) => notAfter)),
      };
      const fault = findPathFault(path, now);
      if (fault === null) {
        return (
          findLeafFault(leaf) ?? {
            allow: true,
            permit: { ...path, hasNamesakes: hasNamesakes(certificates, anchors) },
          }
        );
      }
      // A CA that was renewed under its key may stand beside the old one: a path with a fault is not the last word.
      refusal ??= fault;
    }
  }
  return refusal ?? deny('untrusted', obstacles[0] ?? explainUntrusted(leaf, anchors));
}

interface Search {
  readonly held: readonly Certificate[];
  /** Why CAs that signed were passed over, in words for the operator; findPaths adds to them. */
  readonly obstacles: string[];
}

/** Depth first from the leaf up: names, key identifiers, key usage and signatures, no certificate twice. */
function* findPaths(path: Path, search: Search): Generator<Path> {
  const { held, obstacles } = search;
  const [root] = held;
  const [from = path[0]] = path.slice(-1);
  // Certificates that a CA issues to itself for a new key do not count (RFC 5280 §6.1.4 (l)), nor does the leaf.
  const below = path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length;
  for (const issuer of held) {
    if (path.includes(issuer) || !isIssuedBy(from, issuer)) continue;
    const obstacle = findObstacle(issuer, below);
    if (obstacle !== null) obstacles.push(`${issuer.subject} signed ${from.subject}, but ${obstacle}`);
    // A root that was renewed under its key stands there more than once, and a path ends in any of them.
    else if (root !== undefined && isSameCa(issuer, root)) yield [...path, issuer];
    else yield* findPaths([...path, issuer], search);
  }
}

/**
 * What makes an issuer besides its name and key (RFC 5280 §6.1.4 (k) to (o)); null: nothing is missing. Anchors hold no
 * other CAs, but may hold certificates that only sign CRLs (trust/bundle.ts).
 */
function findObstacle(issuer: Certificate, below: number): string | null {
  const { isCa, keyUsage, unprocessedCritical, pathLength } = issuer;
  if (!isCa) return 'is no CA certificate (basicConstraints)';
  if (keyUsage?.has('keyCertSign') === false) return 'its key usage lacks keyCertSign';
  if (unprocessedCritical.length > 0)
    return `has extensions that are not processed here: ${unprocessedCritical.join(', ')}`;
  return pathLength !== null && below > pathLength
    ? `allows ${pathLength} CAs below itself, not ${below}`
    : null;
}

function hasNamesakes([, ...cas]: Path, anchors: readonly PathAnchor[]): boolean {
  return anchors.some(({ certificates }) =>
    certificates.some((held) =>
      cas.some((ca) => ca.canonicalSubject === held.canonicalSubject && ca.sha256 !== held.sha256),
    ),
  );
}
