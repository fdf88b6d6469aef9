/** What makes certificates a trust anchor: one root, the CAs and CRL signers below it, and nothing to doubt about any. */
import type { Certificate } from '../pki/certificate.ts';
import { withColons } from '../pki/fingerprint.ts';
import { isIssuedBy, isSameCa, isSelfSigned } from '../pki/issued.ts';
import { weakKey, weakSignature } from '../pki/strength.ts';
import type { AnchorMaterial } from '../policy/snapshot.ts';
import { faultOfTime, type PassedOver } from './skipped-certificates.ts';

export interface Anchor {
  readonly name: string;
  /**
   * The root, then every CA after the one that signed it, then those who only sign CRLs. A root that was renewed under
   * its key may be there in several certificates, all before the CAs. Expired ones are among them: path validation
   * looks at the dates of each path, and time alone takes nothing out of an anchor.
   */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  /** What else was given, and serves for nothing. */
  readonly passedOver: readonly PassedOver[];
}

export type AnchorReading =
  | { readonly ok: true; readonly anchor: Anchor }
  /** Every problem at once, each a phrase that names the certificate at fault. */
  | { readonly ok: false; readonly problems: readonly string[] };

export interface AnchorClaim {
  readonly name: string;
  /** In any order; the same certificate twice counts once. */
  readonly certificates: readonly Certificate[];
  /** What could not be read of the sources, each a phrase that names the place. */
  readonly unreadable?: readonly string[];
  /** Hex SHA-256 of the root's DER; colons and upper case are allowed. */
  readonly rootSha256?: string | undefined;
  /** Milliseconds since the epoch: of several roots those that have expired give way. */
  readonly now: number;
}

export function readAnchor({ name, rootSha256, now, ...claim }: AnchorClaim): AnchorReading {
  const unique = [...new Map(claim.certificates.map((each) => [each.sha256, each])).values()];
  const faults = new Map(unique.map((each) => [each, faultsOf(each)]));
  const sound = unique.filter((each) => faults.get(each)?.length === 0);
  const { unreadable = [] } = claim;
  const problems = [
    ...unreadable,
    ...unique.flatMap((each) => (faults.get(each) ?? []).map((fault) => named(each, fault))),
  ];

  const candidates = sound.filter(isSelfSigned);
  // Where a root is there that cannot be used, why not has been said.
  if (candidates.length === 0 && unique.some(isSelfSigned)) return { ok: false, problems };
  const choice = chooseRoot(candidates, { rootSha256, now });
  if (!choice.ok) return { ok: false, problems: [...problems, choice.problem] };
  const { roots, others } = choice;
  const [root] = roots;

  const below = sound.filter((each) => !roots.includes(each) && !others.includes(each));
  const cas = descend(
    roots,
    below.filter((each) => !signsOnlyCrls(each)),
  );
  const signers = below.filter(
    (each) => signsOnlyCrls(each) && [...roots, ...cas].some((ca) => isIssuedBy(each, ca)),
  );
  const ordered = [...cas, ...signers];
  const orphans = below.filter((each) => !ordered.includes(each));
  for (const orphan of orphans) faults.set(orphan, [`no path leads to the root ${root.subject}`]);
  problems.push(...orphans.map((orphan) => named(orphan, `no path leads to the root ${root.subject}`)));
  // Where nothing but the root would be left, what was given is not what was meant.
  if (ordered.length === 0 && problems.length > 0) return { ok: false, problems };

  const passedOver: PassedOver[] = [
    ...unreadable.map((detail) => ({ reason: 'unreadable', detail }) as const),
    ...[...faults].flatMap(([each, phrases]) =>
      phrases.length === 0 ? [] : { reason: 'unusable' as const, detail: named(each, phrases.join(', ')) },
    ),
    ...others.map((other) => faultOfTime(other, now) ?? notThePinned(other)),
  ];
  return { ok: true, anchor: { name, certificates: [...roots, ...ordered], passedOver } };
}

type RootChoice =
  | {
      readonly ok: true;
      /** One CA: the certificate that lasts longest first. */
      readonly roots: readonly [Certificate, ...Certificate[]];
      /** Other roots, which are passed over. */
      readonly others: readonly Certificate[];
    }
  | { readonly ok: false; readonly problem: string };

/**
 * An anchor ends in one root. Several certificates of it are one root, renewed under its key; roots with other keys are
 * passed over where they have expired, or where the pin says which one is meant.
 */
function chooseRoot(
  candidates: readonly Certificate[],
  { rootSha256, now }: Pick<AnchorClaim, 'rootSha256' | 'now'>,
): RootChoice {
  const families = [...Map.groupBy(candidates, (each) => `${each.spkiPin} ${each.canonicalSubject}`).values()]
    .map((family) => family.toSorted((one, other) => other.notAfter - one.notAfter))
    .toSorted(([one], [other]) => (other?.notAfter ?? 0) - (one?.notAfter ?? 0));
  const [first] = candidates;
  if (first === undefined) return { ok: false, problem: 'no self-signed root among the certificates' };

  const pin = rootSha256 === undefined ? null : normalizeSha256(rootSha256);
  const allowed =
    pin === null
      ? families.filter(([latest]) => now <= (latest?.notAfter ?? 0))
      : families.filter((family) => family.some(({ sha256 }) => sha256 === pin));
  if (pin !== null && allowed.length === 0) {
    const problem = `${first.subject}: its SHA-256 is ${withColons(first.sha256)}, not rootSha256`;
    return { ok: false, problem };
  }
  if (allowed.length > 1) {
    const names = allowed.map(([latest]) => latest?.subject).join(' and ');
    const problem = `more than one root: ${names}; each needs an anchor of its own, or rootSha256 says which one is meant`;
    return { ok: false, problem };
  }
  const [root = first, ...renewed] = allowed[0] ?? families[0] ?? [];
  const roots = [root, ...renewed] as const;
  return { ok: true, roots, others: candidates.filter((each) => !roots.includes(each)) };
}

function notThePinned({ subject }: Certificate): PassedOver {
  return { reason: 'unusable', detail: `${subject}: another root than rootSha256 names` };
}

/** The certificates of the root, one or several. */
export function rootsOf({ certificates: [root, ...others] }: Pick<Anchor, 'certificates'>): Certificate[] {
  return [root, ...others.filter((each) => isSelfSigned(each) && isSameCa(each, root))];
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

/** What makes the certificate unusable for good: its dates are not among it. */
function faultsOf(certificate: Certificate): string[] {
  const { keyUsage, unprocessedCritical } = certificate;
  const isRoot = isSelfSigned(certificate);
  const issues = isRoot || !signsOnlyCrls(certificate);
  const problems: (string | null)[] = [
    issues && !certificate.isCa ? 'is no CA certificate (basicConstraints)' : null,
    issues && keyUsage?.has('keyCertSign') === false ? 'its key usage lacks keyCertSign' : null,
    isRoot && !isIssuedBy(certificate, certificate) ? 'does not verify as signed by itself' : null,
    has(weakKey(certificate)),
    // A root is trusted for its bytes: nobody relies on the signature it puts under itself.
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
 * Every intermediate that the root (in any of its certificates) vouches for, nearest first, path length limits kept (RFC 5280 §6.1.4 (l), (m)): the
 * certificate of a CA for its own other key does not count.
 */
function descend(roots: readonly Certificate[], intermediates: readonly Certificate[]): Certificate[] {
  /** How many CAs may still follow each CA that was reached, on the way that leaves it the most. */
  const below = new Map(roots.map((root) => [root, root.pathLength ?? Infinity]));
  const queue = [...roots];
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
  return [...below.keys()].slice(roots.length);
}
