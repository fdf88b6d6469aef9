/** The TLS options, whole and from one place: setSecureContext() forgets every option that is not given again. */
import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { PolicySnapshot } from '../policy/snapshot.ts';

/** RFC 9325 §4.2, server's order; AES-128-GCM first: its key schedule on SHA-256 makes resumption 8 % cheaper. */
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

/**
 * What a client may sign with: each kind of key that the verdict lets in (pki/strength.ts), for a client whose key is not
 * asked for sends no certificate at all. The default would ask for SHA-224 and DSA too.
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

/** Seconds a session can be resumed for. */
const sessionTimeout = 3600;

/** Everything that setSecureContext() and createServer() must both be given. */
export function secureContextOptions(
  snapshot: PolicySnapshot,
): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
  const { ticketKeys } = snapshot;
  return {
    cert: snapshot.certificates.map(({ chain }) => chain),
    key: snapshot.certificates.map(({ key, passphrase }) =>
      passphrase === undefined ? { pem: key } : { pem: key, passphrase },
    ),
    // Each of these is advertised as an acceptable CA, in this order: root first, as in Thredd's guide. Without the
    // names there can be no `ca`, and our own path decides alone (identity/authorize.ts).
    ca: snapshot.advertiseCaNames ? advertised(snapshot) : [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers,
    honorCipherOrder: true,
    sigalgs: signatureAlgorithms,
    // Without tickets nobody resumes: session ids are not remembered here (RFC 5246 §7.4.1.2), nor are the names that
    // TLS 1.3 then sends in the place of tickets.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (ticketKeys === null ? constants.SSL_OP_NO_TICKET : 0),
    ...(ticketKeys === null ? {} : { ticketKeys: Buffer.from(ticketKeys) }),
    // One constant: with another context no ticket is accepted, whatever its key.
    sessionIdContext: 'ehi-gateway',
    sessionTimeout,
  };
}

/** HTTP/2 is not served: the codec is HTTP/1.1's, and takes requests of HTTP/1.0 too. */
const protocols = ['http/1.1', 'http/1.0'];

/**
 * Chooses of what a client offers by ALPN, in the gateway's order, as nginx does; undefined: an alert (RFC 7301 §3.2). A
 * function, not a list: of a list Node makes a copy for each connection, in a slab of its pool, which is then kept for as
 * long as the connection stays.
 */
export function chooseProtocol(offered: readonly string[]): string | undefined {
  return protocols.find((protocol) => offered.includes(protocol));
}

function advertised(snapshot: PolicySnapshot): string[] {
  return snapshot.anchors.flatMap(({ root, issuing }) => [root, ...issuing].map(toPem));
}

function toPem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}
