/** Chooses the root of an anchor: the pinned one, or the only one that has not expired; a renewed root stays one root. */
import type { Certificate } from '../pki/certificate.ts';
import { normalizeSha256, withColons } from '../pki/fingerprint.ts';
import { isSameCa, isSelfSigned } from '../pki/issued.ts';

export type RootChoice =
  | {
      readonly ok: true;
      /** The certificates of one root, the one that expires last first. */
      readonly roots: readonly [Certificate, ...Certificate[]];
      /** Other roots, which are skipped. */
      readonly others: readonly Certificate[];
    }
  | { readonly ok: false; readonly problem: string };

/**
 * An anchor has one root. Certificates with the same name and key are one root, renewed under its key. Roots with other
 * keys are skipped if they have expired, or if the pin names the root to use; otherwise they are a problem.
 * `candidates`: self-signed certificates. `rootSha256`: the pin. `now`: milliseconds since the epoch.
 */
export function chooseRoot(
  candidates: readonly Certificate[],
  { rootSha256, now }: { readonly rootSha256: string | undefined; readonly now: number },
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
    const problem = `more than one root: ${names}; give each an anchor of its own, or name one of them in rootSha256`;
    return { ok: false, problem };
  }
  const [root = first, ...renewed] = allowed[0] ?? families[0] ?? [];
  const roots = [root, ...renewed] as const;
  return { ok: true, roots, others: candidates.filter((each) => !roots.includes(each)) };
}

/** The certificates of the anchor's root: several if the root was renewed under its key. */
export function rootsOf({
  certificates: [root, ...others],
}: {
  readonly certificates: readonly [Certificate, ...Certificate[]];
}): Certificate[] {
  return [root, ...others.filter((each) => isSelfSigned(each) && isSameCa(each, root))];
}
