/**
 * What OpenSSL's verdict on a chain counts for. The gateway's own path decides (path.ts); OpenSSL is a second opinion on
 * what the certificates say, and no opinion on which of them make the path.
 */

/** Codes of `socket.authorizationError`. `path`: OpenSSL found or verified no path. `time`: it compared dates. */
const codes: Readonly<Record<string, 'path' | 'time'>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'path',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'path',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'path',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'path',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'path',
  CERT_SIGNATURE_FAILURE: 'path',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'path',
  SELF_SIGNED_CERT_IN_CHAIN: 'path',
  CERT_CHAIN_TOO_LONG: 'path',
  CERT_NOT_YET_VALID: 'time',
  CERT_HAS_EXPIRED: 'time',
};

/**
 * What the code says: `path`, which the own path answers with the anchors' own certificates; `time`, which it answers by
 * the gateway's clock at every handshake, where a resumed session repeats an old answer; else `property`: something that a
 * certificate says or is (INVALID_PURPOSE, INVALID_CA, PATH_LENGTH_EXCEEDED; Node calls most others UNSPECIFIED). A code
 * that is not in the table counts as a property.
 */
export function meaningOf(code: string): 'path' | 'time' | 'property' {
  return Object.hasOwn(codes, code) ? (codes[code] ?? 'property') : 'property';
}
