/** The keys and certificates of the configured key sets, from files and from the cache of what was fetched; nothing is fetched here. */
import { createHash, createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { keySourcesIn, type NamedKeySource, sourceOf } from '../../config/files/key-sources.ts';
import type { KeySourceConfig } from '../../config/schema/key-source.ts';
import type { Config } from '../../config/schema/schema.ts';
import { printable } from '../../foreign-text.ts';
import { describeSkipped, type PublicJwk, readKeySet, type SkippedKey } from '../../jose/key-set.ts';
import { loadKeySet } from '../../keys/disk-cache.ts';
import { type Certificate, parseCertificate } from '../../pki/certificate.ts';
import { keyTypeOf } from '../../pki/key.ts';
import { authorityHoldings, readConfigured, reasonOf } from './file-holdings.ts';
import type { Holding, Use } from './holding.ts';

/** In the order of the configuration. */
export async function keySetHoldings({ clients, routes, trust }: Config): Promise<Holding[]> {
  const found: Holding[] = [];
  const policies = routes.map(({ bearer, signature }) => ({ bearer, signature }));
  for (const named of keySourcesIn({ clients, routes: policies })) {
    const use = useOf(named);
    found.push(...(await setHoldings(named, use, trust.cacheDir)), ...(await serverHoldings(named, use)));
  }
  return found;
}

function useOf({ path, entry }: NamedKeySource): Use {
  const isInactive = path.at(-1) === 'inactive';
  const purpose = isInactive
    ? 'inactive_client'
    : path[0] === 'clients'
      ? 'registered_client'
      : 'verification_key';
  return {
    purpose,
    path: path
      .reduce<string>(
        (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`),
        '',
      )
      .slice(1),
    usedBy: path[0] === 'clients' ? 'clients' : 'messages',
    source: sourceOf(entry),
  };
}

type StoredSet =
  | {
      readonly keys: readonly PublicJwk[];
      readonly skipped: readonly SkippedKey[];
      readonly bytes: Uint8Array;
      /** Milliseconds since the epoch; null: it is a file. */
      readonly fetchedAt: number | null;
    }
  /** Why there is none. */
  | { readonly problem: string };

/** The set as a gateway would start with it. Never rejects. */
export async function readStoredSet(entry: KeySourceConfig, cacheDir: string): Promise<StoredSet> {
  try {
    const { uri: source } = entry;
    const stored = source === undefined ? null : await loadKeySet({ cacheDir, source });
    if (source !== undefined && stored === null)
      return { problem: 'nothing was fetched yet, or the cache is on another machine' };
    const bytes = stored?.bytes ?? (await readConfigured(sourceOf(entry)));
    const set = readKeySet(bytes);
    return set.ok ? { ...set, bytes, fetchedAt: stored?.fetchedAt ?? null } : set;
  } catch (cause) {
    return { problem: reasonOf(cause) };
  }
}

async function setHoldings({ entry }: NamedKeySource, use: Use, cacheDir: string): Promise<Holding[]> {
  const fault = (detail: string): Holding => ({ ...use, kind: 'fault', detail });
  const set = await readStoredSet(entry, cacheDir);
  if ('problem' in set) return [fault(set.problem)];
  const { keys, skipped, bytes, fetchedAt } = set;
  const certificates = certificatesIn(bytes);
  return [
    ...keys.map((key) =>
      keyHolding(key, { use, certificate: certificates.get(key.certificate ?? ''), fetchedAt }),
    ),
    ...skipped.map((key) => fault(`a key that is not used, ${describeSkipped(key)}`)),
  ];
}

function keyHolding(
  { jwk, kid, thumbprint }: PublicJwk,
  facts: {
    readonly use: Use;
    readonly certificate: Certificate | undefined;
    readonly fetchedAt: number | null;
  },
): Holding {
  const { use, certificate, fetchedAt } = facts;
  if (certificate !== undefined)
    return { ...use, kind: 'certificate', certificate, keyFile: null, unused: null, fetchedAt };
  const key = createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' });
  const spki = key.export({ type: 'spki', format: 'der' });
  const spkiPin = createHash('sha256').update(spki).digest('base64');
  const names = [...(kid === null ? [] : [`kid ${printable(kid)}`]), `thumbprint ${thumbprint}`];
  return { ...use, kind: 'key', key: keyTypeOf(key), spkiPin, state: `used; ${names.join(', ')}` };
}

/** By `x5t#S256`; the set was read without a fault. */
function certificatesIn(bytes: Uint8Array): ReadonlyMap<string, Certificate> {
  const { keys } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { keys: { x5c?: unknown }[] };
  const found = keys.flatMap((key) => {
    const [der] = Array.isArray(key?.x5c) ? (key.x5c as unknown[]) : [];
    try {
      return typeof der === 'string' ? parseCertificate(Buffer.from(der, 'base64')) : [];
    } catch {
      // Of a key that is skipped.
      return [];
    }
  });
  return new Map(found.map((certificate) => [certificate.thumbprint, certificate]));
}

/** What the server of a URL is verified with. */
async function serverHoldings({ entry }: NamedKeySource, use: Use): Promise<Holding[]> {
  if (entry.uri === undefined) return [];
  if (entry.ca !== undefined)
    return authorityHoldings({ ...use, purpose: 'fetch_ca', path: `${use.path}.ca`, source: entry.ca });
  const detail = 'the server that it is fetched from is verified with them';
  return [{ ...use, purpose: 'node_cas', source: 'Node.js', kind: 'set', detail }];
}
