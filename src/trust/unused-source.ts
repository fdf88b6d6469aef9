/** Finds a whole file or URL of an anchor that holds no usable certificate. */
import type { Certificate } from '../pki/certificate.ts';
import type { Anchor } from './trust-anchor.ts';

/** The certificates of one URL or file. */
export interface SourceCertificates {
  readonly source: string;
  readonly certificates: readonly Certificate[];
}

/**
 * The first source none of whose certificates is part of the anchor, and why: it is probably the wrong file. A source
 * whose certificates have expired is not reported.
 */
export function unusedSource(
  { certificates, skipped }: Anchor,
  sources: readonly SourceCertificates[],
  now: number,
): { readonly index: number; readonly problem: string } | null {
  const used = new Set(certificates.map(({ sha256 }) => sha256));
  const index = sources.findIndex((each) =>
    each.certificates.every(({ sha256, notAfter }) => !used.has(sha256) && now <= notAfter),
  );
  const unused = sources[index];
  if (unused === undefined) return null;
  const details = skipped
    .map(({ detail }) => detail)
    .filter((detail) => unused.certificates.some(({ subject }) => detail.startsWith(`${subject}: `)));
  const problem = `${unused.source}: none of its certificates can be used: ${details.join('; ')}`;
  return { index, problem };
}
