/** The keys of a set as a relay thread uses them: found by `kid` and algorithm, made into key objects on first use. */
import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { keyKindOf, type SignatureAlgorithm } from './algorithm.ts';
import type { PublicJwk } from './public-key.ts';

/** A key that verifies signatures of one algorithm. */
export interface VerificationKey {
  readonly kid: string | null;
  /** RFC 7638, base64url SHA-256. */
  readonly thumbprint: string;
  readonly key: KeyObject;
}

interface KeyQuery {
  /** null: the signature names no key. */
  readonly kid: string | null;
  readonly algorithm: SignatureAlgorithm;
}

/** Immutable. */
export class CompiledKeySet {
  readonly keys: readonly PublicJwk[];
  readonly #compiled = new Map<PublicJwk, VerificationKey>();

  constructor(keys: readonly PublicJwk[]) {
    this.keys = keys;
  }

  /**
   * The keys with which a signature of the algorithm may be verified, in the order of the set: those with the `kid`, or all
   * that fit the algorithm if `kid` is null. Empty: there is none. A set may have one `kid` for several keys
   * (RFC 7517 §4.5), so that the caller limits how many it tries.
   */
  find({ kid, algorithm }: KeyQuery): readonly VerificationKey[] {
    return this.keys
      .filter((key) => (kid === null || key.kid === kid) && isFit(key, algorithm))
      .map((key) => this.#compile(key));
  }

  /** Whether any key has this `kid`, whatever it is for: then the set need not be fetched again. */
  has(kid: string): boolean {
    return this.keys.some((key) => key.kid === kid);
  }

  #compile(key: PublicJwk): VerificationKey {
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const { kid, thumbprint, jwk } = key;
    const compiled = {
      kid,
      thumbprint,
      key: createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' }),
    };
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

/** The algorithm must be the one that the key states (RFC 7517 §4.4), and take a key of this type and curve. */
export function isFit({ alg, verifies, jwk }: PublicJwk, algorithm: SignatureAlgorithm): boolean {
  const { kty, crv } = keyKindOf(algorithm);
  return (
    verifies && (alg === null || alg === algorithm) && jwk.kty === kty && (crv === null || jwk.crv === crv)
  );
}

/** `last`, if it has the same keys: key objects, and what they cache, are kept over a new snapshot. */
export function compileKeySet(keys: readonly PublicJwk[], last: CompiledKeySet | null): CompiledKeySet {
  return last !== null && isSame(keys, last.keys) ? last : new CompiledKeySet(keys);
}

function isSame(keys: readonly PublicJwk[], others: readonly PublicJwk[]): boolean {
  return (
    keys.length === others.length &&
    keys.every((key, index) => {
      const other = others[index];
      return (
        other?.thumbprint === key.thumbprint &&
        other.kid === key.kid &&
        other.alg === key.alg &&
        other.verifies === key.verifies &&
        other.certificate === key.certificate
      );
    })
  );
}
