/** Builds a trust anchor from certificates: one root, and the CAs and CRL signers below it that can be used. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSelfSigned } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import type { AnchorMaterial } from '../policy/snapshot.ts';
import { chooseRoot } from './root-choice.ts';
import { outsideValidity, type SkippedCertificate } from './skipped-certificates.ts';

export interface Anchor {
  readonly name: string;
  /**
   * The root, then each CA after the first of its issuers that was found, then certificates that only sign CRLs. A root
   * that was renewed under its key may have several certificates, all before the CAs. Expired certificates are included:
   * path validation checks the dates of each path.
   */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  /** The other certificates of the sources, which are not used. */
  readonly skipped: readonly SkippedCertificate[];
}

/** A final check of every anchor before it is used. Returns null, or why the anchor is refused. */
export type Accept = (anchor: Anchor) => string | null;

export type AnchorResult =
  | { readonly ok: true; readonly anchor: Anchor }
  /** All problems, each a phrase that names the certificate. */
  | { readonly ok: false; readonly problems: readonly string[] };

export interface AnchorInput {
  readonly name: string;
  /** In any order; duplicates are ignored. */
  readonly certificates: readonly Certificate[];
  /** The parts of the sources that could not be read, each a phrase that names the place. */
  readonly unreadable?: readonly string[];
  /** The pin: hex SHA-256 of the root's DER; colons and upper case are allowed. */
  readonly rootSha256?: string | undefined;
  /** Milliseconds since the epoch; expired roots are skipped if another root is valid. */
  readonly now: number;
}

export function buildAnchor({ name, rootSha256, now, ...input }: AnchorInput): AnchorResult {
  const unique = [...new Map(input.certificates.map((each) => [each.sha256, each])).values()];
  const faults = new Map(unique.map((each) => [each, anchorFaults(each)]));
  const usable = unique.filter((each) => faults.get(each)?.length === 0);
  const { unreadable = [] } = input;
  const problems = [
    ...unreadable,
    ...unique.flatMap((each) => (faults.get(each) ?? []).map((fault) => named(each, fault))),
  ];

  const candidates = usable.filter(isSelfSigned);
  // If every root has a fault, `problems` already says so.
  if (candidates.length === 0 && unique.some(isSelfSigned)) return { ok: false, problems };
  const choice = chooseRoot(candidates, { rootSha256, now });
  if (!choice.ok) return { ok: false, problems: [...problems, choice.problem] };
  const { roots, others } = choice;

  const below = usable.filter((each) => !roots.includes(each) && !others.includes(each));
  const ordered = orderBelow(roots, below);
  const orphanFault = `no path leads to the root ${roots[0].subject}`;
  const orphans = below.filter((each) => !ordered.includes(each));
  for (const orphan of orphans) faults.set(orphan, [orphanFault]);
  problems.push(...orphans.map((orphan) => named(orphan, orphanFault)));
  // A root alone, while everything else was skipped, is not what the sources were meant to hold.
  if (ordered.length === 0 && problems.length > 0) return { ok: false, problems };

  const skipped: SkippedCertificate[] = [
    ...unreadable.map((detail) => ({ reason: 'unreadable', detail }) as const),
    ...[...faults].flatMap(([each, phrases]) =>
      phrases.length === 0 ? [] : { reason: 'unusable' as const, detail: named(each, phrases.join(', ')) },
    ),
    ...others.map((other) => outsideValidity(other, now) ?? notPinned(other)),
  ];
  return { ok: true, anchor: { name, certificates: [...roots, ...ordered], skipped } };
}

/** The CAs that a path leads to, each after its issuer, then the CRL signers that one of them issued. */
function orderBelow(
  roots: readonly [Certificate, ...Certificate[]],
  below: readonly Certificate[],
): Certificate[] {
  const cas = reachableCas(
    roots,
    below.filter((each) => !signsOnlyCrls(each)),
  );
  const signers = below.filter(
    (each) => signsOnlyCrls(each) && [...roots, ...cas].some((ca) => isIssuedBy(each, ca)),
  );
  return [...cas, ...signers];
}

function notPinned({ subject }: Certificate): SkippedCertificate {
  return { reason: 'unusable', detail: `${subject}: another root than rootSha256 names` };
}

export function materialOf({
  name,
  certificates: [root, ...issuing],
}: Anchor): Omit<AnchorMaterial, 'revocation'> {
  return { name, root: root.der, issuing: issuing.map(({ der }) => der) };
}

export function haveSameCertificates(one: Anchor, other: Anchor): boolean {
  return (
    one.certificates.length === other.certificates.length &&
    one.certificates.every(({ sha256 }, index) => sha256 === other.certificates[index]?.sha256)
  );
}

/**
 * A CA may have its CRLs signed by another key (RFC 5280 §6.3.3 (f)). The certificate of that key issues nothing
 * (identity/path.ts), so that it need not be a CA certificate, and it is never a root.
 */
export function signsOnlyCrls({ keyUsage }: Certificate): boolean {
  return keyUsage?.has('cRLSign') === true && !keyUsage.has('keyCertSign');
}

/** What makes the certificate unusable permanently; dates are checked elsewhere (skipped-certificates.ts). */
export function anchorFaults(certificate: Certificate): string[] {
  const { keyUsage, unprocessedCritical, isMalformedCa } = certificate;
  const isRoot = isSelfSigned(certificate);
  const issues = isRoot || !signsOnlyCrls(certificate);
  const problems: (string | null)[] = [
    issues && !certificate.isCa ? 'is no CA certificate (basicConstraints)' : null,
    issues && keyUsage?.has('keyCertSign') === false ? 'its key usage lacks keyCertSign' : null,
    issues && isMalformedCa ? 'OpenSSL cannot parse one of its extensions' : null,
    isRoot && !isIssuedBy(certificate, certificate) ? 'does not verify as signed by itself' : null,
    has(weakKey(certificate)),
    // A root is trusted by configuration, not by its own signature.
    isRoot ? null : has(weakSignature(certificate)),
    unprocessedCritical.length === 0
      ? null
      : `has extensions that are not processed here: ${unprocessedCritical.join(', ')}`,
  ];
  return problems.filter((each) => each !== null);
}

function named({ subject }: Certificate, fault: string): string {
  return `${subject}: ${fault}`;
}

function has(weakness: string | null): string | null {
  return weakness === null ? null : `has ${weakness}`;
}

/**
 * Every intermediate that a path from the root leads to, nearest first, within the path length limits. A self-issued
 * certificate, which certifies another key of the same CA, does not count towards a limit (RFC 5280 §6.1.4 (l), (m)).
 */
function reachableCas(roots: readonly Certificate[], intermediates: readonly Certificate[]): Certificate[] {
  /** The number of CAs that may follow each CA found so far, on the path that allows most. */
  const below = new Map(roots.map((root) => [root, root.pathLength ?? Infinity]));
  const queue = [...roots];
  // The loop also visits what is added during it, so it reaches CAs at every depth. A CA enters `below` after the first
  // issuer that was found for it, but not always after its other issuers.
  for (const parent of queue) {
    for (const child of intermediates) {
      const left = (below.get(parent) ?? 0) - (child.isSelfIssued ? 0 : 1);
      const limit = Math.min(left, child.pathLength ?? Infinity);
      if (limit <= (below.get(child) ?? -1) || !isIssuedBy(child, parent)) continue;
      below.set(child, limit);
      queue.push(child);
    }
  }
  return [...below.keys()].slice(roots.length);
}
