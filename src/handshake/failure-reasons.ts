/**
 * The one table of reasons for which a connection ends before the client is authorized (verdict `failed`), each with what
 * happened and what to do. The audit detail, the metric label and docs/deny-reasons.md come from it.
 */

interface FailureReason {
  /** What happened. */
  readonly says: string;
  /** What the operator does about it: one to three sentences. */
  readonly advice: string;
}

export const failureReasons = {
  proxy_header: {
    says: 'a connection from a network in listen.proxyProtocol.trusted did not begin with a valid PROXY header, or the header did not arrive in time',
    advice:
      'Configure the load balancer in that network to send PROXY headers, or remove the network from listen.proxyProtocol.trusted.',
  },
  handshake_timeout: {
    says: 'the handshake did not finish within timeouts.handshake',
    advice: 'Look for packet loss, a firewall, or a client that hangs.',
  },
  handshake_too_large: {
    says: 'the client sent more than limits.handshakeBytes during the handshake (from a range of clients.allowlist other than /0: more than four times as much), or from another address more than 64 records',
    advice:
      'Configure the client to send only its own certificate and the CAs above it. If a legitimate client needs more bytes, raise limits.handshakeBytes or list its address in clients.allowlist. If it needs more than 64 records, list its address: limits.handshakeBytes does not change that limit.',
  },
  certificates_refused: {
    says: 'an address that no range of clients.allowlist other than /0 contains sent more than four certificates, over 8 KiB after the first, an RSA key over 8192 bits or exponent over 32 bits, an EC curve other than P-256, P-384 and P-521, a key other than RSA, EC, Ed25519 and Ed448, an unreadable or compressed certificate, or a ClientHello in SSL 2.0 format',
    advice:
      'A legitimate client sends its own certificate and one or two CAs: configure it so, or list its address in clients.allowlist. Otherwise this may be an attack.',
  },
  plain_http: {
    says: 'the client sent an HTTP request without TLS',
    advice:
      'Make the client call https:// instead of http://. The gateway answers such a request with 400, except under listen.rejectWith: close.',
  },
  not_tls: {
    says: 'the first bytes from the client are not TLS',
    advice:
      'Look for a port scan or a client of another protocol. If the source is a load balancer that sends PROXY headers, add its network to listen.proxyProtocol.trusted.',
  },
  protocol_version: {
    says: 'the client offers neither TLS 1.2 nor TLS 1.3',
    advice: 'Update the client, or enable TLS 1.2 or 1.3 in it.',
  },
  no_shared_cipher: {
    says: 'the client offers no cipher suite that the gateway supports (RFC 9325 §4.2: ECDHE with AES-GCM or ChaCha20)',
    advice:
      'Enable one of these in the client. With TLS 1.2 the client’s curves or signature algorithms may be the cause, if they do not fit the key of listen.certificate: a client that accepts only RSA needs an RSA certificate beside the ECDSA one.',
  },
  no_shared_group: {
    says: 'the client offers no key exchange group that the gateway supports',
    advice: 'Enable X25519, P-256 or P-384 in the client.',
  },
  no_shared_signature: {
    says: 'the client accepts no signature algorithm that fits the key of listen.certificate',
    advice:
      'A client that accepts only RSA signatures needs an RSA certificate in listen.certificate, one that accepts only ECDSA needs an ECDSA certificate: you can configure both.',
  },
  no_shared_alpn: {
    says: 'the client offers by ALPN neither http/1.1 nor http/1.0',
    advice: 'The gateway does not support HTTP/2 (h2, gRPC): configure the client to offer http/1.1 as well.',
  },
  server_certificate_refused: {
    says: 'the client rejected the gateway’s certificate with a TLS alert',
    advice: 'The record’s detail names the alert and what to do.',
  },
  client_alert: {
    says: 'the client ended the connection with a TLS alert that is not about the gateway’s certificate',
    advice: 'See the client’s own log for the cause.',
  },
  malformed_certificate: {
    says: 'a certificate that the client sent cannot be read',
    advice:
      'The client must send its certificate and its CAs as X.509 in DER; have the certificate exported or issued again.',
  },
  signature_not_supported: {
    says: 'the client signed the handshake with an algorithm or a key that the gateway did not ask for',
    advice:
      'The client’s key must be RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448, and of the same kind as the key in its certificate.',
  },
  key_not_proven: {
    says: 'the client sent a certificate but did not prove that it holds the private key: the signature in CertificateVerify is wrong (RFC 8446 §4.4.3)',
    advice:
      'Usually the client’s certificate file and key file do not belong together. Otherwise somebody may be using a certificate that is not theirs.',
  },
  message_too_large: {
    says: 'a TLS record, or the list of the client’s certificates, is longer than TLS or OpenSSL allows',
    advice: 'Configure the client to send its own certificate and the CAs above it, and nothing else.',
  },
  closed_silent: {
    says: 'the client closed the connection before it sent a byte',
    advice: 'This is usual for TCP health checks of load balancers and for port scans.',
  },
  closed_before_certificate: {
    says: 'the client closed the connection before the gateway sent its certificate',
    advice: 'Look for a short connect timeout in the client, a port scan, or a middlebox.',
  },
  closed_after_certificate: {
    says: 'the client closed the connection without an alert after the gateway sent its certificate',
    advice:
      'Clients that reject the certificate often close this way (.NET, Node.js): check that the client trusts its CA, and that the host name it calls is in the subjectAltName of listen.certificate. Or the client has no certificate of its own to send.',
  },
  protocol_error: {
    says: 'TLS failed for a reason that is not listed here: openssl_code names the error',
    advice:
      'A correct client does not cause this: look for a port scan, a middlebox, or a defective TLS library.',
  },
  reset: {
    says: 'the client closed the connection while its address was checked, or while the gateway waited for the revocation status of its certificate',
    advice:
      'If this happens often, look for a revocation source that answers slowly, or lower revocation.firstContact.',
  },
  shutdown: {
    says: 'the gateway stopped before the handshake was done',
    advice: 'The client can connect again, to another replica.',
  },
} as const satisfies Record<string, FailureReason>;

export type FailureReasonName = keyof typeof failureReasons;

/** Why a connection failed, as its audit record says it. */
export interface Failure {
  readonly reason: FailureReasonName;
  readonly detail: string;
}

/** The detail is what happened, by default in the table's words, followed by what to do about it. */
export function failure(
  reason: FailureReasonName,
  what: string = failureReasons[reason].says,
  advice: string = failureReasons[reason].advice,
): Failure {
  return { reason, detail: `${what}. ${advice}` };
}
