/** All TLS options of the listener. They come from one place, since setSecureContext() resets each option that is not given again. */
import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { toPem } from '../pki/pem.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';

/** RFC 9325 §4.2, in the server's order. AES-128-GCM is first: its key schedule on SHA-256 makes resumption 8 % cheaper. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Protocol versions and cipher suites of the listener. */
export const listenerOffer = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers } as const;

/**
 * Signature algorithms that the gateway asks clients for: those of each kind of key that it accepts (pki/strength.ts). A
 * client with another kind of key sends no certificate. Node's default also asks for SHA-224 and DSA.
 */
const signatureAlgorithms = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'rsa_pkcs1_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pkcs1_sha384',
  'ecdsa_secp521r1_sha512',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'ed25519',
  'ed448',
].join(':');

/** Lifetime of a session, seconds. */
const sessionTimeout = 3600;

/** The options that setSecureContext() and createServer() must both be given. */
export function secureContextOptions(
  snapshot: PolicySnapshot,
): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
  const { ticketKeys } = snapshot;
  return {
    cert: snapshot.certificates.map(({ chain }) => chain),
    key: snapshot.certificates.map(({ key, passphrase }) =>
      passphrase === undefined ? { pem: key } : { pem: key, passphrase },
    ),
    // Node advertises each certificate in `ca` as an acceptable CA, in this order: root first, as in Thredd's guide. So
    // without CA names `ca` must be empty, and the gateway's own path validation decides alone (identity/authorize.ts).
    ca: snapshot.advertiseCaNames ? advertised(snapshot) : [],
    ...listenerOffer,
    honorCipherOrder: true,
    sigalgs: signatureAlgorithms,
    // Without tickets no session is resumed: the gateway caches neither session IDs (RFC 5246 §7.4.1.2) nor the identifiers
    // that TLS 1.3 then sends instead of tickets.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (ticketKeys === null ? constants.SSL_OP_NO_TICKET : 0),
    ...(ticketKeys === null ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    // Must be constant: a ticket is only accepted under the context in which it was issued.
    sessionIdContext: 'ehi-gateway',
    sessionTimeout,
  };
}

/** Without HTTP/2: the codec (message/) accepts HTTP/1.1 and HTTP/1.0. */
const protocols = ['http/1.1', 'http/1.0'];

/**
 * Chooses from the protocols that a client offers by ALPN, in the gateway's order as nginx does; undefined: Node sends an
 * alert (RFC 7301 §3.2). A function instead of a list: Node copies a list for each connection into a slab of its buffer
 * pool, and the slab stays in memory as long as the connection.
 */
export function chooseProtocol(offered: readonly string[]): string | undefined {
  return protocols.find((protocol) => offered.includes(protocol));
}

function advertised(snapshot: PolicySnapshot): string[] {
  return snapshot.anchors.flatMap(({ root, issuing }) => [root, ...issuing].map(toPem));
}
