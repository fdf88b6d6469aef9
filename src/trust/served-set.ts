/** Makes an anchor of what its sources served: the certificates, where each came from, and a judgement of the whole. */
import type { Certificate } from '../pki/certificate.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { readBundle } from '../pki/pem.ts';
import type { StoredSource } from './disk-cache.ts';
import { isUsable, passedOverAt } from './skipped-certificates.ts';
import { type Anchor, readAnchor } from './trust-anchor.ts';

export interface SourcesClaim {
  readonly name: string;
  readonly sources: readonly StoredSource[];
  /** Lower hex; undefined: any root. */
  readonly rootSha256: string | undefined;
  readonly accept: (anchor: Anchor) => string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Found {
  readonly certificates: readonly Certificate[];
  /** Told even when the set has problems: a changed root is to be named as such. */
  readonly roots: readonly Certificate[];
  /** SHA-256 → URL. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface SoundReading extends Found {
  readonly anchor: Anchor;
  readonly problem: null;
}

export type SourcesReading = SoundReading | (Found & { readonly anchor: null; readonly problem: string });

export function readSources({ name, sources, accept, ...claim }: SourcesClaim): SourcesReading {
  const certificates: Certificate[] = [];
  const unreadable: string[] = [];
  const origins = new Map<string, string>();
  const bundles: Sourced[] = [];
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
  const found = { certificates, roots: certificates.filter(isSelfSigned), origins };
  const reading = readAnchor({ name, certificates, unreadable, ...claim });
  if (!reading.ok) return { ...found, anchor: null, problem: reading.problems.join('; ') };
  const { anchor } = reading;
  const refusal =
    idleSource(anchor, bundles, claim.now)?.problem ?? unusableNow(anchor, claim.now) ?? accept(anchor);
  return refusal === null
    ? { ...found, anchor, problem: null }
    : { ...found, anchor: null, problem: refusal };
}

/** What one URL or one file holds. */
export interface Sourced {
  readonly source: string;
  readonly certificates: readonly Certificate[];
}

/**
 * The first source of which nothing can be used, and why: it holds something else than it should. One whose
 * certificates have only expired does not.
 */
export function idleSource(
  { certificates, passedOver }: Anchor,
  sources: readonly Sourced[],
  now: number,
): { readonly index: number; readonly problem: string } | null {
  const used = new Set(certificates.map(({ sha256 }) => sha256));
  const index = sources.findIndex((each) =>
    each.certificates.every(({ sha256, notAfter }) => !used.has(sha256) && now <= notAfter),
  );
  const idle = sources[index];
  if (idle === undefined) return null;
  const details = passedOver
    .map(({ detail }) => detail)
    .filter((detail) => idle.certificates.some(({ subject }) => detail.startsWith(`${subject}: `)));
  const problem = `${idle.source}: none of its certificates can be used: ${details.join('; ')}`;
  return { index, problem };
}

function unusableNow(anchor: Anchor, now: number): string | null {
  if (isUsable(anchor, now)) return null;
  return passedOverAt(anchor, now)
    .map(({ detail }) => detail)
    .join('; ');
}
