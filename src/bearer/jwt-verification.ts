/** Verifies a JWT access token (RFC 9068 §4): its header by the policy, its signature by the key set, then its claims are read. */
import { type AccessTokenClaims, readClaims } from '../jose/access-token.ts';
import { isSignatureAlgorithm, type SignatureAlgorithm } from '../jose/algorithm.ts';
import type { CompiledKeySet } from '../jose/compiled-key-set.ts';
import { type CompactJws, decodeBase64url, type JwsHeader, readCompactJws, verifyJws } from '../jose/jws.ts';
import { readJson } from '../jose/strict-json.ts';
import type { BearerRefusal } from '../message/message-reasons.ts';
import type { BearerPolicy } from '../policy/snapshot.ts';

/** Keys that are tried for one token: each costs a verification. */
const MAX_TRIED = 4;

type HeaderPolicy = Pick<BearerPolicy, 'algorithms' | 'types'>;

interface VerifyOptions {
  readonly policy: HeaderPolicy;
  /** The key set as it is now; null: none could be read yet. */
  readonly keys: () => CompiledKeySet | null;
  /** Has the set fetched again; afterwards `keys` has the result. */
  readonly refreshKeys: () => Promise<unknown>;
}

export type Verification = { readonly usedKeys: CompiledKeySet | null } & (
  | { readonly refusal: BearerRefusal }
  | { readonly refusal: null; readonly claims: AccessTokenClaims; readonly keyId: string | null }
);

/** Whether the token is judged as a JWT. Without a key set every token is asked for, and without introspection none is. */
export function isJwt(token: string, policy: Pick<BearerPolicy, 'keys' | 'introspection'>): boolean {
  if (policy.keys === null || policy.introspection === null) return policy.keys !== null;
  const reading = readCompactJws(token);
  return reading.ok || reading.fault === 'header';
}

/** Does not reject unless `refreshKeys` does. */
export async function verifyToken(token: string, options: VerifyOptions): Promise<Verification> {
  const { policy, keys, refreshKeys } = options;
  const refuse = (refusal: BearerRefusal): Verification => ({ refusal, usedKeys: keys() });
  const reading = readCompactJws(token);
  if (!reading.ok) return refuse(reading.fault === 'syntax' ? 'token_malformed' : 'token_header');
  const { header } = reading.jws;
  const algorithm = judgeHeader(header, policy);
  if (algorithm.refusal !== null) return refuse(algorithm.refusal);
  if (lacksKeyFor(header, keys())) await refreshKeys();
  const usedKeys = keys();
  if (usedKeys === null) return refuse('token_undecided');
  const found = usedKeys.find({ kid: header.kid, algorithm: algorithm.allowed }).slice(0, MAX_TRIED);
  if (found.length === 0) return { refusal: 'token_key_unknown', usedKeys };
  for (const { key, kid } of found) {
    if (!(await verifyJws(reading.jws, { key, algorithm: algorithm.allowed }))) continue;
    const claims = claimsOf(reading.jws);
    if (claims === null) return { refusal: 'token_claims', usedKeys };
    return { refusal: null, claims, keyId: kid, usedKeys };
  }
  return { refusal: 'token_signature', usedKeys };
}

/** A set that could never be read is fetched again without a question. */
function lacksKeyFor({ kid }: JwsHeader, keys: CompiledKeySet | null): boolean {
  if (keys === null) return false;
  return kid === null ? keys.keys.length === 0 : !keys.has(kid);
}

/** The algorithm is one of the policy, whatever the token says (RFC 8725 §3.1). */
function judgeHeader(
  { alg, typ }: JwsHeader,
  { algorithms, types }: HeaderPolicy,
): { readonly refusal: BearerRefusal } | { readonly refusal: null; readonly allowed: SignatureAlgorithm } {
  if (!algorithms.includes(alg) || !isSignatureAlgorithm(alg)) return { refusal: 'token_algorithm' };
  return isTypeAllowed(typ, types) ? { refusal: null, allowed: alg } : { refusal: 'token_type' };
}

/**
 * A media type, in any case and with or without `application/` (RFC 7515 §4.1.9). `JWT` also allows tokens without a type,
 * as RFC 7519 §5.1 does.
 */
function isTypeAllowed(typ: string | null, types: readonly string[]): boolean {
  const name = (typ ?? 'JWT').toLowerCase().replace(/^application\//, '');
  return types.some((type) => type.toLowerCase() === name);
}

function claimsOf({ payload }: CompactJws): AccessTokenClaims | null {
  const bytes = decodeBase64url(payload);
  const json = bytes === null ? null : readJson(bytes);
  return json?.ok === true ? readClaims(json.value) : null;
}
