/** The one table of reasons for which a connection is denied (verdict `deny`), each with what happened and what to do. */

type Stage = 'accept' | 'identity' | 'live';

interface DenyReason {
  readonly stage: Stage;
  /** HTTP status of the refusal; its page never contains the reason. */
  readonly status: 400 | 403;
  /** What happened. The record's detail contains it, unless the check has a more precise sentence. */
  readonly says: string;
  /** What the operator does about it. */
  readonly advice: string;
  /** The nearest `tls_verify_status` in the connection logs of an AWS Application Load Balancer. */
  readonly alb: string;
}

/** The union type, metric label, audit field and docs/deny-reasons.md come from this table. */
export const denyReasons = {
  address_refused: {
    stage: 'accept',
    status: 403,
    says: 'the source address is not in clients.allowlist',
    advice:
      'If this client may connect, add its address. If the address is that of a load balancer, configure listen.proxyProtocol.',
    alb: 'Failed:Rejected',
  },
  too_many_connections: {
    stage: 'accept',
    status: 403,
    says: 'the relay thread has limits.connections connections open',
    advice:
      'Look for a client that opens connections and does not close them. Otherwise raise limits.connections.',
    alb: 'Failed:Rejected',
  },
  too_many_handshakes: {
    stage: 'accept',
    status: 403,
    says: 'the relay thread has limits.unfinishedHandshakes connections in their handshake, and no range of clients.allowlist other than /0 contains the address',
    advice:
      'This may be a flood of connections: look at the source addresses of the records. List the addresses of your clients in clients.allowlist.',
    alb: 'Failed:Rejected',
  },
  connections_per_address: {
    stage: 'accept',
    status: 403,
    says: 'the address (an IPv6 address with its /64) has limits.connectionsPerAddress connections open in the relay thread, and no range of clients.allowlist other than /0 contains it',
    advice: 'If many clients share this address, list it in clients.allowlist or raise the limit.',
    alb: 'Failed:Rejected',
  },
  handshakes_per_address: {
    stage: 'accept',
    status: 403,
    says: 'the address (an IPv6 address with its /64) has limits.unfinishedHandshakesPerAddress connections in their handshake in the relay thread, and no range of clients.allowlist other than /0 contains it',
    advice: 'If many clients share this address, list it in clients.allowlist or raise the limit.',
    alb: 'Failed:Rejected',
  },
  handshake_cost: {
    stage: 'accept',
    status: 403,
    says: 'the connections of the address (IPv6: its /64) took too much CPU time, and no range of clients.allowlist other than /0 contains it: what each took beyond 50 ms adds up to over 100 ms; the sum falls by 50 ms a second',
    advice:
      'Look for a client with a large key or a long chain, or for record_flood records of this address, each of which adds 200 ms. If the client is yours, list its address in clients.allowlist.',
    alb: 'Failed:Rejected',
  },
  handshake_rate: {
    stage: 'accept',
    status: 403,
    says: 'the address (an IPv6 address with its /64) began more than limits.handshakeRate handshakes in a second in the relay thread, and no range of clients.allowlist other than /0 contains it',
    advice:
      'Configure the client to keep its connections open. If many clients share this address, list it in clients.allowlist or raise the limit.',
    alb: 'Failed:Rejected',
  },
  overloaded: {
    stage: 'accept',
    status: 403,
    says: 'for half a second or more the event loop of the relay thread was so late that a message waits longer than limits.delay: the thread accepts no connection until that is over',
    advice: 'Run more relay threads (relays) or more replicas, and look for what takes the CPU time.',
    alb: 'Failed:Rejected',
  },
  no_certificate: {
    stage: 'identity',
    status: 400,
    says: 'the client sent no certificate: none is configured in it, or none fits the gateway’s request',
    advice:
      'Configure a certificate in the client. Its key must be RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448, and with listen.advertiseCaNames many clients send only a certificate of a CA in trust.anchors.',
    alb: 'Failed:ClientCertRejected',
  },
  certificate_too_large: {
    stage: 'identity',
    status: 403,
    says: 'the client’s certificate is larger than limits.certificateBytes',
    advice: 'If the certificate is legitimate, raise the limit.',
    alb: 'Failed:ClientCertMaxSizeExceeded',
  },
  certificate_unreadable: {
    stage: 'identity',
    status: 403,
    says: 'OpenSSL can read the client’s certificate, but it does not conform to RFC 5280',
    advice: 'The record’s detail names the error: have the CA issue a certificate without it.',
    alb: 'Failed:ClientCertInvalid',
  },
  untrusted: {
    stage: 'identity',
    status: 403,
    says: 'no path leads from the client’s certificate to a trust anchor. Only the CAs that the anchor contains are used, not those that the client sends',
    advice:
      'The record’s detail says whether the CA is unknown, has another key, or cannot be used. If its clients may connect, add that CA and its root to an anchor in trust.anchors.',
    alb: 'Failed:ClientCertUntrusted',
  },
  chain_refused: {
    stage: 'identity',
    status: 403,
    says: 'the gateway’s own path validation passed, but OpenSSL rejects the contents of a certificate on the path',
    advice:
      'openssl_code names OpenSSL’s error. Please report it: the gateway’s own validation should find it too.',
    alb: 'Failed:ClientCertInvalid',
  },
  not_yet_valid: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path is not valid yet',
    advice: 'The record’s detail names the certificate and its date. Check the clock of the gateway.',
    alb: 'Failed:ClientCertNotYetValid',
  },
  expired: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path has expired',
    advice:
      'The record’s detail names the certificate and its date. Have the client’s certificate renewed, or the CA in the trust anchor replaced.',
    alb: 'Failed:ClientCertExpired',
  },
  wrong_purpose: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path is not for client authentication: its extended key usage lacks clientAuth, or the leaf’s key usage lacks digitalSignature, or the leaf’s Netscape certificate type lacks SSL client',
    advice: 'Have the CA issue a certificate for TLS client authentication.',
    alb: 'Failed:ClientCertPurposeInvalid',
  },
  ca_as_leaf: {
    stage: 'identity',
    status: 403,
    says: 'the client presented a CA certificate',
    advice: 'Configure the client with a certificate of its own. Its private key should not be that of a CA.',
    alb: 'Failed:ClientCertInvalid',
  },
  invalid_leaf: {
    stage: 'identity',
    status: 403,
    says: 'RFC 5280 forbids the client’s certificate: it is not of version 3, or has name constraints or keyCertSign without being a CA',
    advice: 'Have the CA issue a correct certificate.',
    alb: 'Failed:ClientCertInvalid',
  },
  name_constraints: {
    stage: 'identity',
    status: 403,
    says: 'a CA on the path may not certify a name of the leaf or of a CA below it, or the names cannot be compared, or there are too many to compare (RFC 5280 §4.2.1.10)',
    advice:
      'The record’s detail names the CA and the kind of name: have the certificate issued with a permitted name, or by another CA.',
    alb: 'Failed:ClientCertInvalid',
  },
  weak_key: {
    stage: 'identity',
    status: 403,
    says: 'a key on the path is RSA below 2048 bits, EC on a curve other than P-256, P-384 and P-521, or DSA',
    advice: 'Have a certificate issued for a stronger key.',
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  weak_signature: {
    stage: 'identity',
    status: 403,
    says: 'the leaf, or a CA below the root, is signed with MD5 or SHA-1',
    advice: 'Have the CA issue the certificate again with SHA-256 or stronger.',
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  unsupported_extension: {
    stage: 'identity',
    status: 403,
    says: 'the leaf has a critical extension that the gateway does not process (RFC 5280 §6.1.4), or one that restricts certificates and that it never processes, critical or not: policy constraints, policy mappings, inhibitAnyPolicy, IP addresses, AS numbers, proxy certificate',
    advice: 'The record’s detail names the extension: have a certificate issued without it.',
    alb: 'Failed:ClientCertInvalid',
  },
  pin_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no key on the validated path is in clients.pins',
    advice: 'If this client may connect, add the pin in the record’s detail to clients.pins.',
    alb: 'Failed:ClientCertRejected',
  },
  match_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no mapping of clients.match matches the leaf',
    advice:
      'The record’s detail names the fields that differ: if this client may connect, change or add a mapping.',
    alb: 'Failed:ClientCertRejected',
  },
  revoked: {
    stage: 'identity',
    status: 403,
    says: 'a CRL or an OCSP responder says that a certificate on the path is revoked',
    advice: 'Ask the CA why. The client needs a new certificate.',
    alb: 'Failed:ClientCertCrlHit',
  },
  revocation_unknown: {
    stage: 'identity',
    status: 403,
    says: 'no CRL and no OCSP response says whether a certificate on the path is revoked, and revocation.onUnknown is deny',
    advice:
      'The record’s detail names the source that failed: check that the gateway can reach it. To let such clients in until then, set revocation.onUnknown: allow (soft-fail).',
    alb: 'Failed:ClientCertCrlError',
  },
  record_flood: {
    stage: 'live',
    status: 403,
    says: 'the open connection sent more TLS records with little or no data (KeyUpdates, empty records, records of a few bytes) in a second than limits.smallRecords allows for one connection',
    advice:
      'If it is a legitimate client, it writes its messages a few bytes at a time: make it buffer its writes, or raise the limit. Otherwise this may be an attack.',
    alb: 'Failed:Rejected',
  },
} as const satisfies Record<string, DenyReason>;

export type DenyReasonName = keyof typeof denyReasons;
