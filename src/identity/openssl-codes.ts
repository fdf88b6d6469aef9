/**
 * Classifies OpenSSL's verification errors. The gateway's own path validation decides (path.ts). OpenSSL is a second opinion
 * on the contents of the certificates, but not on which of them form the path.
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
 * `path`: does not count, since the own validation searches the anchors' certificates itself. `time`: does not count, since
 * the own validation compares the dates with the gateway's clock at every handshake, and a resumed session repeats an
 * earlier result. `property`: the contents of a certificate (INVALID_PURPOSE, INVALID_CA, PATH_LENGTH_EXCEEDED; Node maps
 * most others to UNSPECIFIED). A code that is not in the table is a property, so that it denies.
 */
export function classifyOpensslCode(code: string): 'path' | 'time' | 'property' {
  return Object.hasOwn(codes, code) ? (codes[code] ?? 'property') : 'property';
}
