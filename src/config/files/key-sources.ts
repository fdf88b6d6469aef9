/** The key sets that a configuration names: files are read and checked at once, URLs are fetched later (keys/service.ts). */
import { readFile } from 'node:fs/promises';
import { describeSkipped, readKeySet } from '../../jose/key-set.ts';
import type { FileKeySource, KeySource } from '../../keys/settings.ts';
import { type Diagnostics, noDiagnostics, type Path } from '../diagnostic.ts';
import type { ConfigParts, RouteParts } from '../parse.ts';
import type { KeySourceConfig } from '../schema/key-source.ts';
import { readAuthorities } from './ca-file.ts';

/** One place of the configuration that names a key set. */
export interface NamedKeySource {
  readonly path: Path;
  readonly entry: KeySourceConfig;
  /** Milliseconds. */
  readonly refresh: number;
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
  return Object.entries({ bearer: bearer?.jwks, signature: signature?.jwks }).flatMap(([policy, jwks]) =>
    jwks === undefined
      ? []
      : [{ path: ['routes', index, policy, 'jwks'], entry: jwks, refresh: jwks.refresh }],
  );
}

function clientSources(clients: ConfigParts['clients']): NamedKeySource[] {
  const { registered } = clients ?? {};
  if (registered === undefined) return [];
  const { jwks, inactive, refresh } = registered;
  const path = ['clients', 'registered'];
  return [
    { path: [...path, 'jwks'], entry: jwks, refresh },
    ...(inactive === undefined ? [] : [{ path: [...path, 'inactive'], entry: inactive, refresh }]),
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
    if (known?.kind === 'uri' && source.kind === 'uri') {
      if (known.ca !== source.ca)
        diagnostics.problems.push({
          path: [...each.path, 'uri'],
          found: 'a URL that stands elsewhere with another ca',
          allowed: 'the same ca wherever the URL is used',
        });
      sources.set(source.source, { ...source, refresh: Math.min(source.refresh, known.refresh) });
    } else sources.set(source.source, source);
  }
  return { sources: [...sources.values()], ...diagnostics };
}

interface ReadContext {
  readonly now: number;
  readonly diagnostics: Diagnostics;
}

async function readUriSource(
  { path, entry, refresh }: NamedKeySource,
  { now, diagnostics }: ReadContext,
): Promise<KeySource> {
  const ca = entry.ca === undefined ? null : await readAuthorities(entry.ca, { at: path, now, diagnostics });
  return { kind: 'uri', source: sourceOf(entry), ca: ca?.join('') ?? null, refresh };
}

async function readFileSource(
  { path, entry }: NamedKeySource,
  { now, diagnostics }: ReadContext,
): Promise<FileKeySource | null> {
  const source = sourceOf(entry);
  const at = [...path, 'file'];
  try {
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
    return { kind: 'file', source, keys, skipped, readAt: now };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    diagnostics.problems.push({ path: at, found: `${source} that cannot be read (${code})`, allowed });
    return null;
  }
}
