/** Whether a key set has what it is configured for, and in words what it lacks. Pure. */
import { printable } from '../foreign-text.ts';
import type { SignatureAlgorithm } from './algorithm.ts';
import { isFit } from './compiled-key-set.ts';
import type { PublicJwk } from './public-key.ts';

/** What the configuration uses a key set for. */
export type KeySetUse =
  /** To verify signatures of one of the algorithms. `needsKid`: each message names its key, so that one without kid is never found. */
  | {
      readonly kind: 'signatures';
      readonly algorithms: readonly SignatureAlgorithm[];
      readonly needsKid: boolean;
      readonly isEnforced: boolean;
    }
  /** To compare the certificates of clients, or their keys, with those of the set. */
  | { readonly kind: 'clients'; readonly compare: 'certificate' | 'key'; readonly isEnforced: boolean };

interface Lack {
  /** `no key that … : kid a is for …`. Repeats no more of a key than its `kid` or thumbprint, its type and its `alg`. */
  readonly found: string;
  readonly allowed: string;
}

/** Keys that a text names. */
const MAX_NAMED = 3;

/** The keys of the set that serve this use. */
export function usableKeys(keys: readonly PublicJwk[], use: KeySetUse): readonly PublicJwk[] {
  switch (use.kind) {
    case 'signatures':
      return keys.filter(
        (key) =>
          (key.kid !== null || !use.needsKid) && use.algorithms.some((algorithm) => isFit(key, algorithm)),
      );
    case 'clients':
      return use.compare === 'key' ? keys : keys.filter(({ certificate }) => certificate !== null);
    default:
      return use satisfies never;
  }
}

/** null: at least one key of the set can be used. A set without keys lacks one for every use. */
export function findLack(keys: readonly PublicJwk[], use: KeySetUse): Lack | null {
  if (usableKeys(keys, use).length > 0) return null;
  const isEmpty = keys.length === 0;
  switch (use.kind) {
    case 'signatures': {
      const algorithms = use.algorithms.join(' or ');
      const why = isEmpty ? 'the set has no keys' : listed(keys, (key) => describeMisfit(key, use.needsKid));
      return {
        found: `no key that can verify a signature of ${algorithms}: ${why}`,
        allowed: `a set with a public key for ${algorithms} whose use, key_ops and alg permit that${use.needsKid ? ', and which has the kid that messages name (signature.kid)' : ''}`,
      };
    }
    case 'clients':
      return {
        found: isEmpty
          ? 'no keys: no client is registered'
          : `no key with a certificate (x5c), and compare: certificate compares that alone: no client is registered; ${listed(keys, () => 'has none')}`,
        allowed: isEmpty
          ? 'a set with the registered clients, such as ehi-gateway certs jwks writes'
          : 'keys with x5c, as ehi-gateway certs jwks writes them, or compare: key',
      };
    default:
      return use satisfies never;
  }
}

function listed(keys: readonly PublicJwk[], describe: (key: PublicJwk) => string): string {
  const named = keys.slice(0, MAX_NAMED).map((key) => `${nameOf(key)} ${describe(key)}`);
  const rest = keys.length - named.length;
  return [...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}

function nameOf({ kid, thumbprint }: PublicJwk): string {
  return kid === null ? `the key with the thumbprint ${thumbprint}` : `kid ${printable(kid)}`;
}

function describeMisfit({ kid, verifies, alg, jwk: { kty, crv } }: PublicJwk, needsKid: boolean): string {
  if (needsKid && kid === null) return 'has no kid';
  if (!verifies) return 'is not for signatures (use or key_ops)';
  const type = crv === undefined ? `${kty}` : `${kty} ${crv}`;
  return alg === null ? `is of type ${type}` : `is of type ${type} with alg ${printable(alg)}`;
}
