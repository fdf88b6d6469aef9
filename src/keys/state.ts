/** What the service of key sets reports to the control thread: the state of each set, and events. */
import type { PublicJwk, SkippedKey } from '../jose/key-set.ts';
import { findLack, type KeySetUse, usableKeys } from '../jose/key-set-use.ts';

export interface KeySetState {
  readonly source: string;
  readonly kind: 'uri' | 'file';
  /** null: none could be read yet. */
  readonly keys: readonly PublicJwk[] | null;
  readonly skipped: readonly SkippedKey[];
  /** Milliseconds since the epoch: when the source last confirmed the keys; null without keys. */
  readonly fetchedAt: number | null;
  /** Why the last fetch did not succeed; null: it did. */
  readonly problem: string | null;
  /** Keys for the enforced use that has the fewest; null: the set was never read, or no enforced use needs a key. */
  readonly usable: number | null;
  /** What the set lacks for a use that has no key; null: nothing. */
  readonly lack: string | null;
}

/** `keys`: null if the set was never read. */
export function judgeUses(
  keys: readonly PublicJwk[] | null,
  uses: readonly KeySetUse[],
): Pick<KeySetState, 'usable' | 'lack'> {
  if (keys === null || uses.length === 0) return { usable: null, lack: null };
  const [lack] = uses.flatMap((use) => findLack(keys, use) ?? []);
  const enforced = uses.filter(({ isEnforced }) => isEnforced);
  return {
    usable: enforced.length === 0 ? null : Math.min(...enforced.map((use) => usableKeys(keys, use).length)),
    lack: lack?.found ?? null,
  };
}

export type KeysAction =
  /** The first or a changed set was fetched, or the source works again after a failure or a start from the cache. */
  | 'fetched'
  /** The last good set was read from disk and is in use until its source confirms or replaces it. */
  | 'from_cache'
  /** The keys in use changed, for any reason; `added` and `removed` list them. */
  | 'changed'
  /** A key of a set in use is not used. Reported once for each. */
  | 'passed_over'
  /** The set in use has no key for what it is configured for. Reported once, until that changes. */
  | 'no_usable_key'
  /** A set that was fetched or cached cannot be used; the one in use stays. */
  | 'refused'
  | 'fetch_failed'
  /** The cache could not be read or written. */
  | 'cache_failed';

/** One key, with what identifies it in reports. */
export interface KeyName {
  readonly kid: string | null;
  /** RFC 7638, base64url SHA-256. */
  readonly thumbprint: string;
  /** Base64url SHA-256 of its certificate; null: it has none. */
  readonly certificate: string | null;
}

export interface KeysEvent {
  readonly type: 'keys';
  readonly action: KeysAction;
  readonly source: string;
  readonly detail?: string;
  readonly added?: readonly KeyName[];
  readonly removed?: readonly KeyName[];
}

/** The difference between two sets; null: they have the same keys, in any order. */
export function diffKeys(
  before: readonly PublicJwk[],
  after: readonly PublicJwk[],
): { readonly added: readonly KeyName[]; readonly removed: readonly KeyName[] } | null {
  const [old, current] = [byIdentity(before), byIdentity(after)];
  const missing = (from: typeof old, others: typeof old) =>
    [...from].filter(([identity]) => !others.has(identity)).map(([, key]) => nameOf(key));
  const [added, removed] = [missing(current, old), missing(old, current)];
  return added.length === 0 && removed.length === 0 ? null : { added, removed };
}

function byIdentity(keys: readonly PublicJwk[]): ReadonlyMap<string, PublicJwk> {
  return new Map(
    keys.map((key) => [
      JSON.stringify([key.thumbprint, key.certificate, key.kid, key.alg, key.verifies]),
      key,
    ]),
  );
}

function nameOf({ kid, thumbprint, certificate }: PublicJwk): KeyName {
  return { kid, thumbprint, certificate };
}
