/** Parses the files that the sources of an anchor serve, and checks whether they make a usable anchor. */
import type { Certificate } from '../pki/certificate.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { readBundle } from '../pki/pem.ts';
import type { StoredSource } from './disk-cache.ts';
import { isUsable, skippedAt } from './skipped-certificates.ts';
import { type Accept, type Anchor, buildAnchor } from './trust-anchor.ts';
import { type SourceCertificates, unusedSource } from './unused-source.ts';

export interface ServedSetInput {
  readonly name: string;
  readonly sources: readonly StoredSource[];
  /** Lower hex; undefined: any root. */
  readonly rootSha256: string | undefined;
  readonly accept: Accept;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface ServedCertificates {
  readonly certificates: readonly Certificate[];
  /** The self-signed certificates, also of a set with problems: a changed root is reported as such. */
  readonly roots: readonly Certificate[];
  /** SHA-256 → URL. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface UsableSet extends ServedCertificates {
  readonly anchor: Anchor;
  readonly problem: null;
}

export type ServedSet =
  | UsableSet
  /** `problem`: why the set cannot be used. */
  | (ServedCertificates & { readonly anchor: null; readonly problem: string });

export function readServedSet({ name, sources, accept, ...input }: ServedSetInput): ServedSet {
  const certificates: Certificate[] = [];
  const unreadable: string[] = [];
  const origins = new Map<string, string>();
  const bundles: SourceCertificates[] = [];
  for (const { url, bytes } of sources) {
    try {
      const bundle = readBundle(bytes);
      bundles.push({ source: url, certificates: bundle.certificates });
      unreadable.push(...bundle.unreadable.map((fault) => `${url}: ${fault}`));
      for (const certificate of bundle.certificates) {
        certificates.push(certificate);
        if (!origins.has(certificate.sha256)) origins.set(certificate.sha256, url);
      }
    } catch (cause) {
      const problem = `${url}: ${cause instanceof Error ? cause.message : String(cause)}`;
      return { certificates: [], roots: [], origins, anchor: null, problem };
    }
  }
  const served = { certificates, roots: certificates.filter(isSelfSigned), origins };
  const result = buildAnchor({ name, certificates, unreadable, ...input });
  if (!result.ok) return { ...served, anchor: null, problem: result.problems.join('; ') };
  const { anchor } = result;
  const problem =
    unusedSource(anchor, bundles, input.now)?.problem ?? unusableNow(anchor, input.now) ?? accept(anchor);
  return problem === null ? { ...served, anchor, problem } : { ...served, anchor: null, problem };
}

function unusableNow(anchor: Anchor, now: number): string | null {
  if (isUsable(anchor, now)) return null;
  return skippedAt(anchor, now)
    .map(({ detail }) => detail)
    .join('; ');
}
