/** Why a TLS handshake came to nothing: one table of reasons, each with what it says and what to do about it. */

interface FailureReason {
  readonly says: string;
  /** For whoever reads the record: one or two sentences. */
  readonly advice: string;
}

/** Reason → what the records and docs/deny-reasons.md say. `protocol_error` and `reset`: what no other reason fits. */
export const handshakeFailures = {
  handshake_timeout: {
    says: 'the handshake did not finish within timeouts.handshake',
    advice: 'Look for packet loss, a firewall or a client that hangs.',
  },
  handshake_too_large: {
    says: 'the client’s part of the handshake was larger than limits.handshakeBytes, or in more than 64 records',
    advice:
      'The client must send its own certificate and the CAs above it, and nothing else. Raise limits.handshakeBytes, or name the address in clients.allowlist, where an honest client needs more.',
  },
  certificates_refused: {
    says: 'the allowlist does not name the address, and the client sent certificates that are costly to verify: more than four, CA certificates of more than 8 KiB, RSA beyond 8192 bits or with an exponent beyond 32 bits, EC other than P-256, P-384, P-521, or what cannot be read',
    advice:
      'An honest client sends its own certificate and one or two CAs: configure it so, or name its address in clients.allowlist. From an unknown address: it may be an attack.',
  },
  plain_http: {
    says: 'the client sent an HTTP request without TLS',
    advice:
      'The client must call https://, not http://; a 400 tells it so, except under listen.rejectWith: close.',
  },
  not_tls: {
    says: 'the first bytes are not TLS',
    advice:
      'Likely a port scan or another protocol; or a load balancer that sends PROXY headers although listen.proxyProtocol.trusted does not name its network.',
  },
  protocol_version: {
    says: 'the client offers neither TLS 1.2 nor TLS 1.3',
    advice: 'Update the client, or switch TLS 1.2 on there.',
  },
  no_shared_cipher: {
    says: 'the client offers no cipher suite that the gateway has (RFC 9325 §4.2: ECDHE with AES-GCM or ChaCha20)',
    advice:
      'Switch one on in the client. In TLS 1.2 this is also the reason when its curves or signature algorithms do not fit the key of listen.certificate: a client that takes only RSA needs an RSA certificate beside the ECDSA one.',
  },
  no_shared_group: {
    says: 'the client offers no key exchange group that the gateway has',
    advice: 'Switch X25519, P-256 or P-384 on in the client.',
  },
  no_shared_signature: {
    says: 'the client takes no signature that the key of listen.certificate can make',
    advice:
      'A client that takes only RSA signatures needs an RSA certificate in listen.certificate, one that takes only ECDSA an ECDSA certificate: both may stand side by side.',
  },
  no_shared_alpn: {
    says: 'the client offers by ALPN neither http/1.1 nor http/1.0',
    advice: 'A client that speaks HTTP/2 alone (h2, gRPC) cannot be served: let it offer http/1.1 too.',
  },
  server_certificate_refused: {
    says: 'the client does not accept the gateway’s certificate, and said so by a TLS alert',
    advice: 'The detail of the record names the alert and what to do.',
  },
  client_alert: {
    says: 'the client ended the handshake by another TLS alert',
    advice: 'The client’s own log says why.',
  },
  malformed_certificate: {
    says: 'a certificate that the client sent cannot be read',
    advice:
      'The client must send its certificate and its CAs as DER in X.509; have it issued or exported again.',
  },
  signature_not_supported: {
    says: 'the client signed the handshake with an algorithm, or a key, that the gateway did not ask for',
    advice:
      'The client’s key must be RSA, on P-256, P-384 or P-521, Ed25519 or Ed448, and of the same kind as its certificate.',
  },
  key_not_proven: {
    says: 'the client sent a certificate but did not prove that it holds its private key: the signature of CertificateVerify does not fit (RFC 8446 §4.4.3)',
    advice:
      'The client’s certificate and key file do not belong together; or somebody tries a certificate that is not theirs.',
  },
  message_too_large: {
    says: 'a TLS record, or the client’s certificates, are longer than TLS or OpenSSL allow',
    advice: 'The client must send its own certificate and the CAs above it, and nothing else.',
  },
  closed_silent: {
    says: 'the client closed the connection without having sent a byte',
    advice: 'Usual for TCP health checks of load balancers and for port scans.',
  },
  closed_before_certificate: {
    says: 'the client closed the connection before it got the gateway’s certificate',
    advice: 'Look for a client that gives up early (its connect timeout), a port scan or a middlebox.',
  },
  closed_after_certificate: {
    says: 'the client closed the connection, without an alert, after it got the gateway’s certificate',
    advice:
      'Clients that do not trust the certificate, or do not find the name they call in it, often leave so (.NET, Node.js): check their trust store and the subjectAltName of listen.certificate. Or they miss a client certificate to send.',
  },
  protocol_error: {
    says: 'TLS failed in another way: openssl_code says how',
    advice: 'A sound client does not cause this: look for a port scan, a middlebox or a broken TLS library.',
  },
  reset: {
    says: 'the connection ended before the client was judged',
    advice: 'The client gave up while its revocation was asked for, or while its address was judged.',
  },
} as const satisfies Record<string, FailureReason>;

export type HandshakeFailureName = keyof typeof handshakeFailures;
