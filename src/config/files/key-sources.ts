/** The key sets that a configuration names: files are read and checked at once, URLs are fetched later (keys/service.ts). */
import { readFile, stat } from 'node:fs/promises';
import { isSignatureAlgorithm } from '../../jose/algorithm.ts';
import { describeSkipped, type PublicJwk, readKeySet } from '../../jose/key-set.ts';
import { findLack, type KeySetUse, usableKeys } from '../../jose/key-set-use.ts';
import type { FileKeySource, KeySource } from '../../keys/settings.ts';
import { type Diagnostic, type Diagnostics, noDiagnostics, type Path } from '../diagnostic.ts';
import type { ConfigParts, RouteParts } from '../parse.ts';
import type { KeySourceConfig } from '../schema/key-source.ts';
import { readAuthorities } from './ca-file.ts';

/** One place of the configuration that names a key set. */
export interface NamedKeySource {
  readonly path: Path;
  readonly entry: KeySourceConfig;
  /** Milliseconds. */
  readonly refresh: number;
  /** What needs a key of the set; null: it may be empty, as a set of inactive registrations usually is. */
  readonly use: KeySetUse | null;
}

interface KeySourcesReading extends Diagnostics {
  /** Incomplete if there are problems. No two have the same `source`. */
  readonly sources: readonly KeySource[];
}

const allowed = 'a JSON Web Key Set (RFC 7517) of public keys';

/** The URL or the absolute path, which identifies the set everywhere. */
export function sourceOf({ uri, file }: KeySourceConfig): string {
  return uri ?? file ?? '';
}

interface KeySourceParts {
  readonly clients: ConfigParts['clients'];
  readonly routes: readonly RoutePolicies[];
}

type RoutePolicies = Pick<RouteParts, 'bearer' | 'signature'>;

/** Every place that names a key set, as far as the part that it belongs to is valid. */
export function keySourcesIn({ clients, routes }: KeySourceParts): NamedKeySource[] {
  return [...clientSources(clients), ...routes.flatMap(routeSources)];
}

function routeSources({ bearer, signature }: RoutePolicies, index: number): NamedKeySource[] {
  return [
    ...policySource(['routes', index, 'bearer', 'jwks'], {
      ...{ jwks: bearer?.jwks, algorithms: bearer?.algorithms, mode: bearer?.mode },
      needsKid: false,
    }),
    ...policySource(['routes', index, 'signature', 'jwks'], {
      ...{ jwks: signature?.jwks, algorithms: signature?.algorithm, mode: signature?.mode },
      needsKid: signature?.kid !== undefined,
    }),
  ];
}

interface PolicySource {
  readonly jwks: NonNullable<RoutePolicies['bearer']>['jwks'];
  readonly algorithms: readonly string[] | undefined;
  readonly mode: 'enforce' | 'shadow' | undefined;
  readonly needsKid: boolean;
}

function policySource(path: Path, { jwks, algorithms = [], mode, needsKid }: PolicySource): NamedKeySource[] {
  if (jwks === undefined) return [];
  const use: KeySetUse = {
    kind: 'signatures',
    algorithms: algorithms.filter(isSignatureAlgorithm),
    needsKid,
    isEnforced: mode === 'enforce',
  };
  return [{ path, entry: jwks, refresh: jwks.refresh, use }];
}

function clientSources(clients: ConfigParts['clients']): NamedKeySource[] {
  const { registered } = clients ?? {};
  if (registered === undefined) return [];
  const { jwks, inactive, refresh, compare, mode } = registered;
  const path = ['clients', 'registered'];
  return [
    {
      ...{ path: [...path, 'jwks'], entry: jwks, refresh },
      use: { kind: 'clients', compare, isEnforced: mode === 'enforce' },
    },
    ...(inactive === undefined ? [] : [{ path: [...path, 'inactive'], entry: inactive, refresh, use: null }]),
  ];
}

/** Reports what is wrong in a file, without throwing and without its content. `now`: milliseconds since the epoch. */
export async function readKeySources(
  named: readonly NamedKeySource[],
  now: number,
): Promise<KeySourcesReading> {
  const diagnostics = noDiagnostics();
  const sources = new Map<string, KeySource>();
  for (const each of named) {
    const known = sources.get(sourceOf(each.entry));
    const read = each.entry.uri === undefined ? readFileSource : readUriSource;
    const source = await read(each, { now, diagnostics });
    if (source === null) continue;
    const uses = [...(known?.uses ?? []), ...source.uses];
    if (known?.kind === 'uri' && source.kind === 'uri') {
      if (known.ca !== source.ca)
        diagnostics.problems.push({
          path: [...each.path, 'uri'],
          found: 'a URL that stands elsewhere with another ca',
          allowed: 'the same ca wherever the URL is used',
        });
      const refresh = Math.min(source.refresh, known.refresh);
      sources.set(source.source, { ...source, refresh, uses });
    } else sources.set(source.source, { ...source, uses });
  }
  return { sources: [...sources.values()], ...diagnostics };
}

interface ReadContext {
  readonly now: number;
  readonly diagnostics: Diagnostics;
}

async function readUriSource(
  { path, entry, refresh, use }: NamedKeySource,
  { now, diagnostics }: ReadContext,
): Promise<KeySource> {
  const ca = entry.ca === undefined ? null : await readAuthorities(entry.ca, { at: path, now, diagnostics });
  return {
    kind: 'uri',
    source: sourceOf(entry),
    ca: ca?.join('') ?? null,
    refresh,
    uses: [use ?? []].flat(),
  };
}

async function readFileSource(
  { path, entry, use }: NamedKeySource,
  { now, diagnostics }: ReadContext,
): Promise<FileKeySource | null> {
  const source = sourceOf(entry);
  const at = [...path, 'file'];
  try {
    // A read of a pipe would never end.
    if (!(await stat(source)).isFile()) {
      diagnostics.problems.push({ path: at, found: `${source} that is no file`, allowed });
      return null;
    }
    const set = readKeySet(await readFile(source));
    if (!set.ok) {
      diagnostics.problems.push({ path: at, found: `${source}: ${set.problem}`, allowed });
      return null;
    }
    const { keys, skipped } = set;
    for (const key of skipped)
      diagnostics.warnings.push({
        path: at,
        found: `${source}: a key that is not used, ${describeSkipped(key)}`,
        allowed: 'public keys that can be used',
      });
    if (use !== null) diagnostics.warnings.push(...unusable(keys, { use, source, at }));
    return { kind: 'file', source, keys, skipped, readAt: now, uses: [use ?? []].flat() };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    diagnostics.problems.push({ path: at, found: `${source} that cannot be read (${code})`, allowed });
    return null;
  }
}

/**
 * Warnings and no problems, because a set that is emptied, such as after the theft of its only key, must take effect: a
 * configuration that is refused leaves the keys in use that were there before.
 */
function unusable(
  keys: readonly PublicJwk[],
  { use, source, at }: { readonly use: KeySetUse; readonly source: string; readonly at: Path },
): Diagnostic[] {
  const lack = findLack(keys, use);
  if (lack !== null) return [{ path: at, found: `${source}: ${lack.found}`, allowed: lack.allowed }];
  const bare = keys.length - usableKeys(keys, use).length;
  // A key for another algorithm is usual in the set of a server; a registration without a certificate is not.
  if (use.kind !== 'clients' || bare === 0) return [];
  return [
    {
      path: at,
      found: `${source}: ${bare} of ${keys.length} keys without a certificate (x5c), which compare: certificate cannot compare: they register no client`,
      allowed: 'keys with x5c, as ehi-gateway certs jwks writes them, or compare: key',
    },
  ];
}
