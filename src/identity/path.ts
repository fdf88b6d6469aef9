/** The gateway's own path validation (RFC 5280 §6.1): from the leaf over the anchors' certificates only. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../pki/issued.ts';
import { findLeafFault } from './leaf-checks.ts';
import { findPathFault, type Path, type TimedPath } from './path-checks.ts';
import { explainUntrusted } from './untrusted-detail.ts';
import { type Denial, deny, type Verdict } from './verdict.ts';

/** A trust anchor: the root first, then the CAs below it. trust/ has checked them when it read them. */
export interface PathAnchor {
  readonly name: string;
  readonly certificates: readonly Certificate[];
}

export interface ValidatedPath extends TimedPath {
  readonly anchor: string;
  /** Another certificate of the anchors has the name of a CA on the path: OpenSSL may have verified that one instead. */
  readonly hasNamesakes: boolean;
}

/** The first valid path from the leaf to an anchor, or why there is none. `now`: milliseconds since the epoch. */
export function validatePath(
  leaf: Certificate,
  { anchors, now }: { anchors: readonly PathAnchor[]; now: number },
): Verdict<ValidatedPath> {
  // First, so that a CA presented as a client has this reason even if no path leads from it.
  if (leaf.isCa) return deny('ca_as_leaf');
  const faults: Denial[] = [];
  const obstacles: string[] = [];
  for (const { name, certificates: available } of anchors) {
    for (const certificates of findPaths([leaf], { available, obstacles })) {
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
      // Another path may be valid: a renewed CA can be present beside its expired certificate.
      faults.push(fault);
    }
  }
  const [obstacle] = obstacles;
  if (faults.length === 0) return deny('untrusted', obstacle ?? explainUntrusted(leaf, anchors));
  return chooseFault(faults, now >= leaf.notBefore && now <= leaf.notAfter ? obstacle : undefined);
}

/**
 * The first fault that is not about a date, else the first. An expired CA beside its renewal is ordinary: the operator must
 * read what is wrong with the renewal. `obstacle`: why another CA, or another certificate of the same CA, cannot be used.
 */
function chooseFault(faults: readonly Denial[], obstacle: string | undefined): Denial {
  const lasting = faults.find(({ reason }) => reason !== 'expired' && reason !== 'not_yet_valid');
  const [first] = faults as [Denial];
  return lasting ?? (obstacle === undefined ? first : deny(first.reason, `${first.detail}; ${obstacle}`));
}

interface Search {
  /** The anchor's certificates, root first. */
  readonly available: readonly Certificate[];
  /** For the operator: why CAs that signed a certificate cannot be on a path. findPaths adds to them. */
  readonly obstacles: string[];
}

/** All paths to the root, depth first from the leaf: names, key identifiers, key usage and signatures fit. */
function* findPaths(path: Path, search: Search): Generator<Path> {
  const { available, obstacles } = search;
  const [root] = available;
  const [from = path[0]] = path.slice(-1);
  // For path lengths neither self-issued certificates count (RFC 5280 §6.1.4 (l)) nor the leaf.
  const below = path.slice(1).filter(({ isSelfIssued }) => !isSelfIssued).length;
  for (const issuer of available) {
    if (path.includes(issuer) || !isIssuedBy(from, issuer)) continue;
    const obstacle = findObstacle(issuer, below);
    if (obstacle !== null) obstacles.push(`${issuer.subject} signed ${from.subject}, but ${obstacle}`);
    // A root that was renewed under its key has several certificates, and a path ends at any of them.
    else if (root !== undefined && isSameCa(issuer, root)) yield [...path, issuer];
    else yield* findPaths([...path, issuer], search);
  }
}

/**
 * Why a certificate that signed another may not issue it (RFC 5280 §6.1.4 (k) to (o)); null: it may. Besides CAs an anchor
 * may hold certificates that only sign CRLs (trust/trust-anchor.ts).
 */
function findObstacle(issuer: Certificate, below: number): string | null {
  const { isCa, keyUsage, unprocessedCritical, pathLength, isMalformedCa } = issuer;
  if (!isCa) return 'is no CA certificate (basicConstraints)';
  if (keyUsage?.has('keyCertSign') === false) return 'its key usage lacks keyCertSign';
  if (isMalformedCa) return 'OpenSSL cannot parse one of its extensions';
  if (unprocessedCritical.length > 0)
    return `has extensions that the gateway does not process: ${unprocessedCritical.join(', ')}`;
  return pathLength !== null && below > pathLength
    ? `allows ${pathLength} CAs below itself (pathLenConstraint), not ${below}`
    : null;
}

function hasNamesakes([, ...cas]: Path, anchors: readonly PathAnchor[]): boolean {
  return anchors.some(({ certificates }) =>
    certificates.some((other) =>
      cas.some((ca) => ca.canonicalSubject === other.canonicalSubject && ca.sha256 !== other.sha256),
    ),
  );
}
