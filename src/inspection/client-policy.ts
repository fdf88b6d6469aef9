/** What `certs inspect` judges client certificates by: the policy of a configuration, or else the roots among the sources. */
import { sourceOf } from '../config/files/key-sources.ts';
import type { Config } from '../config/schema/schema.ts';
import { registeredOf } from '../control/build-snapshot.ts';
import { ConfigError } from '../errors.ts';
import type { PathAnchor } from '../identity/path.ts';
import { Registrations } from '../identity/registration.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { KeySetMaterial } from '../policy/snapshot.ts';
import { TrustError } from '../trust/configured-anchors.ts';
import { type AnchorStatus, readAnchorStatus, type StatusOptions } from '../trust/offline-status.ts';
import { buildAnchor } from '../trust/trust-anchor.ts';
import { readStoredSet } from './holdings/key-set-holdings.ts';
import type { JudgementContext } from './objections.ts';

/** `file`: of the configuration. Throws ConfigError for anchors that cannot be used. */
export async function readClientPolicy(
  { trust, clients, limits }: Config,
  { file, now }: { readonly file: string; readonly now: number },
): Promise<Omit<JudgementContext, 'now'>> {
  const { anchors, cacheDir } = trust;
  const registered = registeredOf({ clients, trust });
  const status = await readStatus({ anchors, list: 'anchors', cacheDir, accept: () => null, now }, file);
  return {
    anchors: status.flatMap(({ state }) => state ?? []),
    anchorsFrom: file,
    pins: clients.pins === undefined ? null : new Set(clients.pins),
    match: clients.match ?? null,
    registered:
      registered?.mode === 'enforce'
        ? new Registrations(registered, await readKeySets(clients, cacheDir))
        : null,
    maxLeafBytes: limits.certificateBytes,
  };
}

/** As the gateway has them: from files, and from the cache of what was fetched. */
async function readKeySets({ registered }: Config['clients'], cacheDir: string): Promise<KeySetMaterial[]> {
  const sources = [registered?.jwks, registered?.inactive].flatMap((each) => each ?? []);
  return Promise.all(
    sources.map(async (entry) => {
      const set = await readStoredSet(entry, cacheDir);
      return { source: sourceOf(entry), keys: 'problem' in set ? null : set.keys };
    }),
  );
}

async function readStatus(options: StatusOptions, file: string): Promise<AnchorStatus[]> {
  try {
    return await readAnchorStatus(options);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw new ConfigError(error.problems.map((problem) => ({ file, line: 1, column: 1, ...problem })));
  }
}

/** Each self-signed CA among the certificates is a root, with every other CA below it if it issued them. */
export function anchorsAmong(pool: readonly Certificate[], now: number): Omit<JudgementContext, 'now'> {
  const cas = pool.filter(({ isCa }) => isCa);
  const roots = cas.filter((each) => each.isSelfIssued);
  const anchors = roots.flatMap((root): PathAnchor[] => {
    const others = cas.filter((each) => !roots.includes(each));
    const result = buildAnchor({
      name: root.subject,
      certificates: [root, ...others],
      rootSha256: root.sha256,
      now,
    });
    return result.ok ? [result.anchor] : [];
  });
  return {
    ...{ anchors: anchors.length === 0 ? null : anchors, anchorsFrom: 'the files given' },
    ...{ pins: null, match: null, registered: null },
  };
}
