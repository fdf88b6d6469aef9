/** Policies of signed bodies. */
import type { SignaturePolicy } from '../../../src/policy/snapshot.ts';

/** A detached JWS by ES256 in `X-Signature`, with the keys of the source `keys`. */
export function signaturePolicy(changes: Partial<SignaturePolicy> = {}): SignaturePolicy {
  return {
    mode: 'enforce',
    header: 'x-signature',
    scheme: 'jws-detached',
    encoding: 'base64url',
    algorithms: ['ES256'],
    kidHeader: null,
    keys: 'keys',
    timestamp: null,
    hmac: null,
    replay: 'allow',
    ...changes,
  };
}

/** An HMAC in `X-Signature`. */
export function hmacPolicy(changes: Partial<SignaturePolicy> = {}): SignaturePolicy {
  return signaturePolicy({
    ...{ scheme: 'raw', encoding: 'hex', algorithms: [], keys: null },
    hmac: { secret: Buffer.alloc(32, 7) },
    ...changes,
  });
}
