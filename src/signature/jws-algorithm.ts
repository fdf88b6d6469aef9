/** Reads a detached JWS, whose `alg` must be one of the algorithms that the route allows, whatever the signature says (RFC 8725 §3.1). */
import { isSignatureAlgorithm, type SignatureAlgorithm } from '../jose/algorithm.ts';
import { type DetachedJws, readDetachedJws } from '../jose/detached-jws.ts';
import type { SignatureRefusal } from '../message/message-reasons.ts';
import type { SignaturePolicy } from '../policy/snapshot.ts';

/** Characters. */
export const MAX_KID = 256;

export interface JwsValue {
  readonly kind: 'jws';
  readonly jws: DetachedJws;
  readonly algorithm: SignatureAlgorithm;
}

/** `text`: the field of the request. */
export function readJws(
  text: string,
  { algorithms }: Pick<SignaturePolicy, 'algorithms'>,
): JwsValue | { readonly refusal: SignatureRefusal } {
  const reading = readDetachedJws(text);
  if (!reading.ok) return { refusal: reading.fault === 'syntax' ? 'signature_syntax' : 'signature_header' };
  const { alg, kid } = reading.jws.header;
  if (kid !== null && kid.length > MAX_KID) return { refusal: 'signature_header' };
  return algorithms.includes(alg) && isSignatureAlgorithm(alg)
    ? { kind: 'jws', jws: reading.jws, algorithm: alg }
    : { refusal: 'signature_algorithm' };
}
