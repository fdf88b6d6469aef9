/** Makes an anchor of what its sources served: the certificates, where each came from, and a judgement of the whole. */
import type { Certificate } from '../pki/certificate.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { readCertificates } from '../pki/pem.ts';
import { type Anchor, readAnchor } from './bundle.ts';
import type { StoredSource } from './store.ts';

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
  const origins = new Map<string, string>();
  for (const { url, bytes } of sources) {
    try {
      for (const certificate of readCertificates(bytes)) {
        certificates.push(certificate);
        if (!origins.has(certificate.sha256)) origins.set(certificate.sha256, url);
      }
    } catch (cause) {
      const problem = `${url}: ${cause instanceof Error ? cause.message : String(cause)}`;
      return { certificates: [], roots: [], origins, anchor: null, problem };
    }
  }
  const found = { certificates, roots: certificates.filter(isSelfSigned), origins };
  const reading = readAnchor({ name, certificates, ...claim });
  if (!reading.ok) return { ...found, anchor: null, problem: reading.problems.join('; ') };
  const refusal = accept(reading.anchor);
  return refusal === null
    ? { ...found, anchor: reading.anchor, problem: null }
    : { ...found, anchor: null, problem: refusal };
}
