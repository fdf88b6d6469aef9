/** What makes certificates a trust anchor: one root, the CAs below it, and nothing to doubt about any of them. */
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import type { AnchorMaterial } from '../policy/snapshot.ts';

export interface Anchor {
  readonly name: string;
  /** The root, then every CA after the one that signed it. */
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

  const [root, ...furtherRoots] = unique.filter(({ subject, issuer }) => subject === issuer);
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

  const intermediates = unique.filter((each) => each !== root && !furtherRoots.includes(each));
  const ordered = descend(root, intermediates);
  for (const orphan of intermediates.filter((each) => !ordered.includes(each))) {
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

function problemsOf(certificate: Certificate, now: number): string[] {
  const { subject, keyUsage, notBefore, notAfter, unprocessedCritical } = certificate;
  const problems: (string | null)[] = [
    certificate.isCa ? null : 'is no CA certificate (basicConstraints)',
    keyUsage === null || keyUsage.has('keyCertSign') ? null : 'its key usage lacks keyCertSign',
    now < notBefore ? `is not valid before ${new Date(notBefore).toISOString()}` : null,
    now > notAfter ? `expired at ${new Date(notAfter).toISOString()}` : null,
    has(weakKey(certificate)),
    // A root is trusted for its bytes: nobody relies on the signature it puts under itself.
    subject === certificate.issuer ? null : has(weakSignature(certificate)),
    unprocessedCritical.length === 0
      ? null
      : `has extensions that are not processed here: ${unprocessedCritical.join(', ')}`,
  ];
  return problems.filter((each) => each !== null).map((each) => `${subject}: ${each}`);
}

function has(weakness: string | null): string | null {
  return weakness === null ? null : `has ${weakness}`;
}

/** Every intermediate that the root vouches for, nearest first, path length limits kept (RFC 5280 §6.1.4 (l), (m)). */
function descend(root: Certificate, intermediates: readonly Certificate[]): Certificate[] {
  /** How many CAs may still follow each CA that was reached. */
  const reached = new Map([[root, root.pathLength ?? Infinity]]);
  // A Map shows entries added while it is walked, so this visits parents before their children.
  for (const [parent, below] of reached) {
    for (const child of intermediates) {
      if (below < 1 || reached.has(child) || !isIssuedBy(child, parent)) continue;
      reached.set(child, Math.min(below - 1, child.pathLength ?? Infinity));
    }
  }
  return [...reached.keys()].slice(1);
}
