/** Which certificates OCSP responders are queried about: the checked CAs and the tracked leaves. Pure. */
import type { Certificate } from '../../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../../pki/issued.ts';
import type { PlannedAddress } from '../addresses.ts';
import type { RevocationAnchor } from '../state.ts';
import type { TrackedLeaf } from '../tracked-leaves.ts';

/** A certificate that responders are queried about. */
export interface OcspTarget {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** Responders in the order in which they are queried; not empty. */
  readonly addresses: readonly string[];
  /** No handshake waits for the first answer. */
  readonly inBackground: boolean;
}

/**
 * The CAs whose own revocation is checked: none with scope `leaf`, not the root in any of its certificates, and no
 * expired one. `now`: milliseconds since the epoch.
 */
export function checkedCas({ certificates, policy }: RevocationAnchor, now: number): readonly Certificate[] {
  const [root, ...others] = certificates;
  if (policy.scope !== 'chain') return [];
  return others.filter((each) => now <= each.notAfter && !isSameCa(each, root));
}

/** The certificates that have a responder in `wanted` and a known issuer. */
export function ocspTargets(options: {
  readonly wanted: readonly PlannedAddress[];
  readonly cas: readonly Certificate[];
  readonly leaves: Iterable<TrackedLeaf>;
  /** The anchor's. */
  readonly certificates: readonly Certificate[];
}): OcspTarget[] {
  const { wanted, cas, leaves, certificates } = options;
  const responders = wanted.filter(({ kind }) => kind === 'ocsp');
  const byCertificate = Map.groupBy(responders, ({ certificate }) => certificate);
  const targets = [
    ...cas.map((certificate) => ({
      ...{ certificate, issuer: issuerOf(certificate, certificates), isRestored: false },
    })),
    ...leaves,
  ];
  return targets.flatMap(({ certificate, issuer, isRestored: inBackground }) => {
    const addresses = byCertificate.get(certificate.tbsSha256)?.map(({ address }) => address) ?? [];
    if (issuer === null || addresses.length === 0) return [];
    return { certificate, issuer, addresses, inBackground };
  });
}

/** Of several certificates with the issuer's key the one that expires last. */
function issuerOf(ca: Certificate, certificates: readonly Certificate[]): Certificate | null {
  const issuers = certificates.filter((other) => other !== ca && isIssuedBy(ca, other));
  return issuers.toSorted((one, other) => other.notAfter - one.notAfter)[0] ?? null;
}
