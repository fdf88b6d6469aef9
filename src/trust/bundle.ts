/** What makes certificates a trust anchor: one root, the CAs and CRL signers below it, and nothing to doubt about any. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy, isSelfSigned } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import type { AnchorMaterial } from '../policy/snapshot.ts';

export interface Anchor {
  readonly name: string;
  /** The root, then every CA after the one that signed it, then those who only sign CRLs. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
}

export type AnchorReading =
  | { readonly ok: true; readonly anchor: Anchor }
  /** Every problem at once, each a phrase that names the certificate at fault. */
  | { readonly ok: false; readonly problems: readonly string[] };

export interface AnchorClaim {
  readonly name: string;
  /** In any order; the same certificate twice counts once. */
  readonly certificates: readonly Certificate[];
  /** Hex SHA-256 of the root's DER; colons and upper case are allowed. */
  readonly rootSha256?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function readAnchor({ name, certificates, rootSha256, now }: AnchorClaim): AnchorReading {
  const unique = [...new Map(certificates.map((each) => [each.sha256, each])).values()];
  const problems = unique.flatMap((each) => problemsOf(each, now));

  const [root, ...furtherRoots] = unique.filter(isSelfSigned);
  if (root === undefined) {
    return { ok: false, problems: [...problems, 'no self-signed root among the certificates'] };
  }
  if (furtherRoots.length > 0) {
    problems.push(
      `more than one root: ${[root, ...furtherRoots].map(({ subject }) => subject).join(' and ')}`,
    );
  }
  if (!isIssuedBy(root, root)) problems.push(`${root.subject}: does not verify as signed by itself`);
  if (rootSha256 !== undefined && root.sha256 !== normalizeSha256(rootSha256)) {
    problems.push(`${root.subject}: its SHA-256 is ${root.sha256}, not rootSha256`);
  }

  const below = unique.filter((each) => each !== root && !furtherRoots.includes(each));
  const cas = descend(
    root,
    below.filter((each) => !signsOnlyCrls(each)),
  );
  const signers = below.filter(
    (each) => signsOnlyCrls(each) && [root, ...cas].some((ca) => isIssuedBy(each, ca)),
  );
  const ordered = [...cas, ...signers];
  for (const orphan of below.filter((each) => !ordered.includes(each))) {
    problems.push(`${orphan.subject}: no path leads to the root ${root.subject}`);
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, anchor: { name, certificates: [root, ...ordered] } };
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

/** `AB:CD…` and `abcd…` name the same certificate. */
export function normalizeSha256(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}

/**
 * A CA may let another key sign its CRLs (RFC 5280 §6.3.3 (f)): that key's certificate issues nothing (identity/path.ts),
 * so it need not be a CA's, and is never a root.
 */
function signsOnlyCrls({ keyUsage }: Certificate): boolean {
  return keyUsage?.has('cRLSign') === true && !keyUsage.has('keyCertSign');
}

function problemsOf(certificate: Certificate, now: number): string[] {
  const { subject, keyUsage, notBefore, notAfter, unprocessedCritical } = certificate;
  const isRoot = isSelfSigned(certificate);
  const issues = isRoot || !signsOnlyCrls(certificate);
  const problems: (string | null)[] = [
    issues && !certificate.isCa ? 'is no CA certificate (basicConstraints)' : null,
    issues && keyUsage?.has('keyCertSign') === false ? 'its key usage lacks keyCertSign' : null,
    now < notBefore ? `is not valid before ${new Date(notBefore).toISOString()}` : null,
    now > notAfter ? `expired at ${new Date(notAfter).toISOString()}` : null,
    has(weakKey(certificate)),
    // A root is trusted for its bytes: nobody relies on the signature it puts under itself.
    isRoot ? null : has(weakSignature(certificate)),
    unprocessedCritical.length === 0
      ? null
      : `has extensions that are not processed here: ${unprocessedCritical.join(', ')}`,
  ];
  return problems.filter((each) => each !== null).map((each) => `${subject}: ${each}`);
}

function has(weakness: string | null): string | null {
  return weakness === null ? null : `has ${weakness}`;
}

/**
 * Every intermediate that the root vouches for, nearest first, path length limits kept (RFC 5280 §6.1.4 (l), (m)): the
 * certificate of a CA for its own other key does not count.
 */
function descend(root: Certificate, intermediates: readonly Certificate[]): Certificate[] {
  /** How many CAs may still follow each CA that was reached, on the way that leaves it the most. */
  const below = new Map([[root, root.pathLength ?? Infinity]]);
  const queue = [root];
  // An array shows entries added while it is walked, so this visits parents before their children.
  for (const parent of queue) {
    for (const child of intermediates) {
      const left = (below.get(parent) ?? 0) - (child.isSelfIssued ? 0 : 1);
      const limit = Math.min(left, child.pathLength ?? Infinity);
      if (limit <= (below.get(child) ?? -1) || !isIssuedBy(child, parent)) continue;
      below.set(child, limit);
      queue.push(child);
    }
  }
  return [...below.keys()].slice(1);
}
