/** The certificates of the trust anchors, from files and from the cache of what was fetched; nothing is fetched here. */
import type { Config } from '../../config/schema/schema.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { isSameCa } from '../../pki/issued.ts';
import { readBundle } from '../../pki/pem.ts';
import { AnchorCache, type AnchorList, type StoredAnchor } from '../../trust/disk-cache.ts';
import { presetUrls } from '../../trust/preset.ts';
import { type AnchorResult, buildAnchor, signsOnlyCrls } from '../../trust/trust-anchor.ts';
import { authorityHoldings, readConfigured, reasonOf } from './file-holdings.ts';
import type { Holding, Purpose, Use } from './holding.ts';

export interface AnchorHoldings {
  readonly holdings: readonly Holding[];
  /** Those that the gateway uses, the root first; empty: none can be used. They may have signed the CRLs. */
  readonly certificates: readonly Certificate[];
}

type AnchorConfig = Config['trust']['anchors'][number];

interface AnchorPlace {
  readonly list: AnchorList;
  readonly index: number;
  readonly cacheDir: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What one source holds. */
interface Source {
  readonly source: string;
  readonly certificates: readonly Certificate[];
  readonly faults: readonly string[];
}

export async function anchorHoldings(anchor: AnchorConfig, place: AnchorPlace): Promise<AnchorHoldings> {
  const { name, files, tls, rootSha256 } = anchor;
  const use = useOf(name, place);
  const urls = anchor.preset === undefined ? (anchor.urls ?? []) : presetUrls[anchor.preset];
  const stored = files === undefined ? await readStored({ ...place, name, urls }) : noStore;
  const sources = files === undefined ? sourcesOf(stored.good) : await Promise.all(files.map(sourceOf));
  const result = buildAnchor({
    ...{ name, now: place.now, rootSha256: rootSha256 ?? stored.good?.rootSha256 },
    certificates: sources.flatMap(({ certificates }) => certificates),
  });
  const fetchCas =
    files !== undefined
      ? []
      : tls === undefined
        ? [
            {
              ...use,
              purpose: 'node_cas',
              source: 'Node.js',
              kind: 'set',
              detail: 'the servers that it is fetched from are verified with them',
            } as const,
          ]
        : await authorityHoldings({
            ...use,
            purpose: 'fetch_ca',
            path: `${use.path}.tls.ca`,
            source: tls.ca,
          });
  return {
    certificates: result.ok ? result.anchor.certificates : [],
    holdings: [
      ...sources.flatMap((source) =>
        holdingsOf(source, { use, result, fetchedAt: stored.good?.fetchedAt ?? null }),
      ),
      ...stored.faults.flatMap((detail) =>
        urls.map((source): Holding => ({ ...use, source, kind: 'fault', detail })),
      ),
      ...sourcesOf(stored.pending).flatMap((source) =>
        pendingOf(source, use, stored.pending?.fetchedAt ?? null),
      ),
      ...fetchCas,
    ],
  };
}

function useOf(name: string, { list, index }: AnchorPlace): Omit<Use, 'source'> {
  const what = list === 'anchors' ? 'anchor' : 'candidate';
  return { purpose: 'anchor_root', path: `trust.${list}[${index}]`, usedBy: `clients of ${what} ${name}` };
}

interface Stored {
  readonly good: StoredAnchor | null;
  readonly pending: StoredAnchor | null;
  readonly faults: readonly string[];
}
const noStore: Stored = { good: null, pending: null, faults: [] };

async function readStored(key: ConstructorParameters<typeof AnchorCache>[0]): Promise<Stored> {
  const cache = new AnchorCache(key);
  try {
    const good = (await cache.load()) ?? (await cache.loadCandidate());
    const pending = await cache.loadPending();
    const faults = good === null ? ['nothing was fetched yet, or the cache is on another machine'] : [];
    return { good, pending: pending?.rootSha256 === good?.rootSha256 ? null : pending, faults };
  } catch (cause) {
    return { ...noStore, faults: [reasonOf(cause)] };
  }
}

async function sourceOf(file: string): Promise<Source> {
  try {
    return bundleOf(file, await readConfigured(file));
  } catch (cause) {
    return { source: file, certificates: [], faults: [reasonOf(cause)] };
  }
}

function sourcesOf(stored: StoredAnchor | null): Source[] {
  return stored?.sources.map(({ url, bytes }) => bundleOf(url, bytes)) ?? [];
}

function bundleOf(source: string, bytes: Buffer): Source {
  try {
    const { certificates, unreadable } = readBundle(bytes);
    return { source, certificates, faults: unreadable };
  } catch (cause) {
    return { source, certificates: [], faults: [reasonOf(cause)] };
  }
}

function holdingsOf(
  { source, certificates, faults }: Source,
  options: {
    readonly use: Omit<Use, 'source'>;
    readonly result: AnchorResult;
    readonly fetchedAt: number | null;
  },
): Holding[] {
  const { use, result, fetchedAt } = options;
  return [
    ...certificates.map((certificate): Holding => {
      const [purpose, unused] = placeOf(certificate, result);
      return { ...use, kind: 'certificate', purpose, source, certificate, keyFile: null, unused, fetchedAt };
    }),
    ...faults.map((detail): Holding => ({ ...use, kind: 'fault', source, detail })),
  ];
}

/** What the certificate is in its anchor, and why the gateway does not use it. */
function placeOf(certificate: Certificate, result: AnchorResult): readonly [Purpose, string | null] {
  const isRoot = result.ok && isSameCa(certificate, result.anchor.certificates[0]);
  const purpose =
    isRoot || (!result.ok && certificate.isSelfIssued)
      ? 'anchor_root'
      : signsOnlyCrls(certificate)
        ? 'crl_signer'
        : 'anchor_ca';
  if (!result.ok) return [purpose, result.problems.join('; ')];
  const { certificates, skipped } = result.anchor;
  if (certificates.some(({ sha256 }) => sha256 === certificate.sha256)) return [purpose, null];
  const own = skipped.find(({ detail }) => detail.startsWith(`${certificate.subject}: `));
  return [purpose, own?.detail.slice(certificate.subject.length + 2) ?? 'the gateway passes it over'];
}

function pendingOf(
  { source, certificates }: Source,
  use: Omit<Use, 'source'>,
  fetchedAt: number | null,
): Holding[] {
  const unused = 'its root waits for approval';
  return certificates.map((certificate) => ({
    ...{ ...use, kind: 'certificate', purpose: 'pending_root', source, certificate },
    ...{ keyFile: null, unused, fetchedAt },
  }));
}
