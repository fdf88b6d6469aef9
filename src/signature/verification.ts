/** Verifies the signature of a body with the key set of its route, or with the secret of its processor. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isSignatureAlgorithm, type SignatureAlgorithm } from '../jose/algorithm.ts';
import type { CompiledKeySet, VerificationKey } from '../jose/compiled-key-set.ts';
import { verifyDetachedJws } from '../jose/detached-jws.ts';
import { verifyRaw } from './raw-signature.ts';
import type { SignatureValue } from './signature-fields.ts';
import { joinParts } from './signed-content.ts';

/** Keys and algorithms that are tried for one body: each costs a verification. */
const MAX_TRIED = 4;

/** With a key of a set. */
export type KeyedSignature = Exclude<SignatureValue, { readonly kind: 'hmac' }>;

interface Candidate {
  readonly key: VerificationKey;
  readonly algorithm: SignatureAlgorithm;
}

/** `kid` of the key that the signature names; null: none. */
export function kidOf(value: KeyedSignature): string | null {
  return value.kind === 'jws' ? value.jws.header.kid : value.kid;
}

/** `algorithms`: those that the policy allows. Empty: no key of the set fits the signature. */
export function candidatesFor(
  value: KeyedSignature,
  { keys, algorithms }: { readonly keys: CompiledKeySet; readonly algorithms: readonly string[] },
): readonly Candidate[] {
  const kid = kidOf(value);
  const allowed = value.kind === 'jws' ? [value.algorithm] : algorithms.filter(isSignatureAlgorithm);
  return allowed
    .flatMap((algorithm) => keys.find({ kid, algorithm }).map((key) => ({ key, algorithm })))
    .slice(0, MAX_TRIED);
}

/** The key that verifies it; null: none does. `parts`: what is signed. Does not reject. */
export async function verifyWithKeys(
  value: KeyedSignature,
  parts: readonly Buffer[],
  candidates: readonly Candidate[],
): Promise<VerificationKey | null> {
  const content = joinParts(parts);
  for (const { key, algorithm } of candidates) {
    const how = { key: key.key, algorithm };
    const isValid =
      value.kind === 'jws'
        ? await verifyDetachedJws(value.jws, content, how)
        : await verifyRaw({ content, signature: value.bytes }, how);
    if (isValid) return key;
  }
  return null;
}

/** HMAC-SHA256 (RFC 2104), compared in constant time. */
export function isHmac(signature: Buffer, parts: readonly Buffer[], secret: Uint8Array): boolean {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  const expected = hmac.digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
