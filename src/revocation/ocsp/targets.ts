/** Whom OCSP is asked about: the CAs whose own revocation counts, and the leaves. Pure. */
import type { Certificate } from '../../pki/certificate.ts';
import { isIssuedBy, isSameCa } from '../../pki/issued.ts';
import type { Wanted } from '../addresses.ts';
import type { RevocationSubject } from '../subject.ts';
import type { Leaf } from '../tracked-leaves.ts';
import type { OcspSubject } from './feeds.ts';

/**
 * The CAs whose own revocation counts: not the root in any of its certificates, and none that has expired. `now`:
 * milliseconds since the epoch.
 */
export function checkedCas({ certificates, policy }: RevocationSubject, now: number): readonly Certificate[] {
  const [root, ...others] = certificates;
  if (policy.scope !== 'chain') return [];
  return others.filter((each) => now <= each.notAfter && !isSameCa(each, root));
}

export function ocspSubjects(options: {
  readonly wanted: readonly Wanted[];
  readonly cas: readonly Certificate[];
  readonly leaves: Iterable<Leaf>;
  /** The anchor's. */
  readonly certificates: readonly Certificate[];
}): OcspSubject[] {
  const { wanted, cas, leaves, certificates } = options;
  const asked = wanted.filter(({ kind }) => kind === 'ocsp');
  const byCertificate = Map.groupBy(asked, ({ certificate }) => certificate);
  const subjects = [
    ...cas.map((certificate) => ({
      ...{ certificate, issuer: issuerOf(certificate, certificates), isRecalled: false },
    })),
    ...leaves,
  ];
  return subjects.flatMap(({ certificate, issuer, isRecalled: isPatient }) => {
    const addresses = byCertificate.get(certificate.tbsSha256)?.map(({ address }) => address) ?? [];
    if (issuer === null || addresses.length === 0) return [];
    return { certificate, issuer, addresses, isPatient };
  });
}

/** Of several certificates for one key the one that lasts longest. */
function issuerOf(ca: Certificate, certificates: readonly Certificate[]): Certificate | null {
  const issuers = certificates.filter((other) => other !== ca && isIssuedBy(ca, other));
  return issuers.toSorted((one, other) => other.notAfter - one.notAfter)[0] ?? null;
}
