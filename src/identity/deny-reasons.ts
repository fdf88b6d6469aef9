/** The one table of reasons for which a connection is denied (verdict `deny`): what happened, why, and what to do on which side. */
import { type Explanation, listAddress, withAdvice } from '../explanation.ts';

/** `says`: the record's detail contains it, unless the check has a more precise sentence. */
interface DenyReason extends Explanation {
  readonly stage: 'accept' | 'identity' | 'live';
  /** HTTP status of the refusal; its page never contains the reason. */
  readonly status: 400 | 403;
  /** The nearest `tls_verify_status` in the connection logs of an AWS Application Load Balancer. */
  readonly alb: string;
}

/** The union type, metric label, audit field and docs/deny-reasons.md come from this table. */
export const denyReasons = withAdvice({
  address_refused: {
    stage: 'accept',
    status: 403,
    says: 'the source address is not in clients.allowlist',
    cause: 'the client is new, its address changed, or a load balancer hides it',
    client: 'call from an address that was announced to the operator of the gateway',
    gateway:
      'if this client may connect, add its address to clients.allowlist. If the address is that of a load balancer, configure PROXY headers there and listen.proxyProtocol',
    alb: 'Failed:Rejected',
  },
  too_many_connections: {
    stage: 'accept',
    status: 403,
    says: 'as many connections are open as limits.connections allows in each of the gateway’s relay threads',
    cause: 'a client that opens connections and does not close them, or more clients than planned',
    client: 'keep connections open and use them again',
    gateway:
      'look for the source address with most connections; raise limits.connections if the number is right',
    alb: 'Failed:Rejected',
  },
  too_many_handshakes: {
    stage: 'accept',
    status: 403,
    says: 'as many connections are in their TLS handshake as limits.unfinishedHandshakes allows in each of the gateway’s relay threads; the limit holds for addresses that clients.allowlist does not list (a range of /0 lists none)',
    cause: 'a flood of connections',
    client: null,
    gateway:
      'look at the source addresses of the records, and list the addresses of your clients in clients.allowlist',
    alb: 'Failed:Rejected',
  },
  connections_per_address: {
    stage: 'accept',
    status: 403,
    says: 'the address has as many connections open as limits.connectionsPerAddress allows in each of the gateway’s relay threads; the limit holds for addresses that clients.allowlist does not list (a range of /0 lists none; the addresses of an IPv6 /64 count as one)',
    cause: 'many clients share this address (NAT), or one client does not close its connections',
    client: 'close connections that are not needed',
    gateway: `if the client is yours, raise limits.connectionsPerAddress, or ${listAddress}. If not, nothing to do: the limit holds`,
    alb: 'Failed:Rejected',
  },
  handshakes_per_address: {
    stage: 'accept',
    status: 403,
    says: 'the address has as many connections in their TLS handshake as limits.unfinishedHandshakesPerAddress allows in each of the gateway’s relay threads; the limit holds for addresses that clients.allowlist does not list (a range of /0 lists none; the addresses of an IPv6 /64 count as one)',
    cause: 'many clients share this address (NAT), or an attack',
    client: 'connect one after another',
    gateway: `if the client is yours, raise limits.unfinishedHandshakesPerAddress, or ${listAddress}. If not, nothing to do: the limit holds`,
    alb: 'Failed:Rejected',
  },
  handshake_cost: {
    stage: 'accept',
    status: 403,
    says: 'the connections of the address (IPv6: its /64) took too much CPU time, and no range of clients.allowlist other than /0 contains it: what each took beyond 50 ms adds up to over 100 ms; the sum falls by 50 ms a second',
    cause:
      'a client with a large key or a long chain, or a flood of small records (each record_flood adds 200 ms)',
    client: 'keep connections open, and send a short chain',
    gateway: `if the client is yours, ${listAddress}`,
    alb: 'Failed:Rejected',
  },
  handshake_rate: {
    stage: 'accept',
    status: 403,
    says: 'the address began more TLS handshakes in a second than limits.handshakeRate allows in each of the gateway’s relay threads; the limit holds for addresses that clients.allowlist does not list (a range of /0 lists none; the addresses of an IPv6 /64 count as one)',
    cause: 'the client opens a connection for each message, or an attack',
    client: 'keep its connections open (HTTP keep-alive)',
    gateway: `if the client is yours, raise limits.handshakeRate, or ${listAddress}. If not, nothing to do: the limit holds`,
    alb: 'Failed:Rejected',
  },
  overloaded: {
    stage: 'accept',
    status: 403,
    says: 'for half a second or more each message in the relay thread waited longer for the event loop than limits.delay allows; the thread accepts no connection until that is over',
    cause: 'too little CPU for the traffic, or something else uses it',
    client: 'try again later, or at another replica',
    gateway: 'run more relay threads (relays) or more replicas, and look for what takes the CPU time',
    alb: 'Failed:Rejected',
  },
  no_certificate: {
    stage: 'identity',
    status: 400,
    says: 'the client sent no certificate',
    cause: 'none is configured in the client, or none fits the gateway’s request',
    client:
      'configure a certificate whose key is RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448, issued by a CA that the gateway trusts',
    gateway:
      'with listen.advertiseCaNames many clients send only a certificate of a CA in trust.anchors: check that its CA is there',
    alb: 'Failed:ClientCertRejected',
  },
  certificate_too_large: {
    stage: 'identity',
    status: 403,
    says: 'the client’s certificate is larger than limits.certificateBytes',
    cause: 'a certificate with very many names',
    client: 'use a certificate with fewer names',
    gateway: 'if the certificate is legitimate, raise limits.certificateBytes',
    alb: 'Failed:ClientCertMaxSizeExceeded',
  },
  certificate_unreadable: {
    stage: 'identity',
    status: 403,
    says: 'OpenSSL can read the client’s certificate, but it does not conform to RFC 5280',
    cause: 'the CA made a defective certificate',
    client: 'have the CA issue a certificate without it',
    gateway: null,
    alb: 'Failed:ClientCertInvalid',
  },
  untrusted: {
    stage: 'identity',
    status: 403,
    says: 'no path leads from the client’s certificate to a trust anchor. Only the CAs that the anchor contains are used, not those that the client sends',
    cause: 'the client uses a certificate of another CA, or that CA is new',
    client: 'use a certificate of a CA that the gateway trusts',
    gateway: 'if clients of this CA may connect, add the CA and its root to an anchor in trust.anchors',
    alb: 'Failed:ClientCertUntrusted',
  },
  chain_refused: {
    stage: 'identity',
    status: 403,
    says: 'the gateway’s own path validation passed, but OpenSSL rejects the contents of a certificate on the path',
    cause: 'openssl_code names OpenSSL’s error',
    client: 'have the CA issue a correct certificate',
    gateway: 'please report it: the gateway’s own validation should find it too',
    alb: 'Failed:ClientCertInvalid',
  },
  not_yet_valid: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path is not valid yet',
    cause: 'the certificate was issued for later, or a clock is wrong',
    client: 'wait for that date, or use the former certificate',
    gateway: 'check the clock of the gateway',
    alb: 'Failed:ClientCertNotYetValid',
  },
  expired: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path has expired',
    cause: 'the certificate was not renewed in time, or the client still uses the old one',
    client: 'configure a renewed certificate',
    gateway: 'if it is a CA that has expired, replace it in the trust anchor',
    alb: 'Failed:ClientCertExpired',
  },
  wrong_purpose: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path is not for client authentication: its extended key usage lacks clientAuth, or the leaf’s key usage lacks digitalSignature, or the leaf’s Netscape certificate type lacks SSL client',
    cause: 'the certificate was issued for a server or for another use',
    client: 'have the CA issue a certificate for TLS client authentication',
    gateway: null,
    alb: 'Failed:ClientCertPurposeInvalid',
  },
  ca_as_leaf: {
    stage: 'identity',
    status: 403,
    says: 'the client presented a CA certificate',
    cause: 'the CA’s file is configured in place of the client’s own',
    client:
      'configure the client’s own certificate and key. It has proved that it holds the private key of this CA: inform the CA at once',
    gateway: null,
    alb: 'Failed:ClientCertInvalid',
  },
  invalid_leaf: {
    stage: 'identity',
    status: 403,
    says: 'RFC 5280 forbids the client’s certificate: it is not of version 3, or has name constraints or keyCertSign without being a CA',
    cause: 'the CA made a defective certificate',
    client: 'have the CA issue a correct certificate',
    gateway: null,
    alb: 'Failed:ClientCertInvalid',
  },
  name_constraints: {
    stage: 'identity',
    status: 403,
    says: 'a CA on the path may not certify a name of the leaf or of a CA below it, or the names cannot be compared, or there are too many to compare (RFC 5280 §4.2.1.10)',
    cause: 'the certificate has a name outside of what its CA may certify',
    client: 'have the certificate issued with a permitted name, or by another CA',
    gateway: null,
    alb: 'Failed:ClientCertInvalid',
  },
  weak_key: {
    stage: 'identity',
    status: 403,
    says: 'a key on the path is RSA below 2048 bits, EC on a curve other than P-256, P-384 and P-521, or DSA',
    cause: 'an old certificate or an old configuration of the client',
    client: 'have a certificate issued for an RSA key of 2048 bits or more, or an EC key on P-256',
    gateway: null,
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  weak_signature: {
    stage: 'identity',
    status: 403,
    says: 'the leaf, or a CA below the root, is signed with MD5 or SHA-1',
    cause: 'an old certificate, or an old configuration of the CA',
    client: 'have the CA issue the certificate again with SHA-256 or stronger',
    gateway: null,
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  unsupported_extension: {
    stage: 'identity',
    status: 403,
    says: 'the leaf has a critical extension that the gateway does not process (RFC 5280 §6.1.4), or one that restricts certificates and that it never processes, critical or not: policy constraints, policy mappings, inhibitAnyPolicy, IP addresses, AS numbers, proxy certificate',
    cause: 'a certificate for a special use',
    client: 'have a certificate issued without that extension',
    gateway: null,
    alb: 'Failed:ClientCertInvalid',
  },
  pin_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no key on the validated path is in clients.pins',
    cause: 'the client has a new key, or is not one of the pinned clients',
    client: 'use the certificate whose key was announced to the operator of the gateway',
    gateway: 'if this client may connect, add the pin in leaf.pin of the record to clients.pins',
    alb: 'Failed:ClientCertRejected',
  },
  match_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no mapping of clients.match matches the leaf',
    cause: 'the certificate is of the right CA but not of the expected organisation or name',
    client: 'use the certificate that was agreed on',
    gateway:
      'if this client may connect, add the value of its certificate to the field of clients.match that differs',
    alb: 'Failed:ClientCertRejected',
  },
  not_registered: {
    stage: 'identity',
    status: 403,
    says: 'the client’s certificate, or its key under compare: key, is not in the set of clients.registered',
    cause:
      'the client is new, renewed its certificate or key, or was deregistered; or the set was not fetched since it was registered',
    client: 'register the certificate that it uses, or use the registered one',
    gateway:
      'if this client may connect, have its JWK added to the set; ehi-gateway certs jwks writes it. ehi_key_set_age_seconds shows when the set was last fetched',
    alb: 'Failed:ClientCertRejected',
  },
  registration_inactive: {
    stage: 'identity',
    status: 403,
    says: 'the client’s certificate, or its key under compare: key, is in the set of clients.registered.inactive',
    cause: 'it was replaced or withdrawn where clients are registered',
    client: 'use the certificate that is registered as active',
    gateway: 'nothing to do; if it was withdrawn by mistake, correct that where clients are registered',
    alb: 'Failed:ClientCertRejected',
  },
  registration_unknown: {
    stage: 'identity',
    status: 403,
    says: 'a key set of clients.registered was never read, so that no client can be found in it',
    cause: 'its URL cannot be reached, or serves no key set that can be used, since the first start',
    client: null,
    gateway:
      'the audit record of type keys (fetch_failed, refused) and the log name the reason; the last good set is kept once there is one',
    alb: 'Failed:ClientCertRejected',
  },
  revoked: {
    stage: 'identity',
    status: 403,
    says: 'a CRL or an OCSP responder says that a certificate on the path is revoked',
    cause: 'the certificate was replaced, or its key was lost',
    client: 'use a new certificate; ask the CA why it was revoked',
    gateway: 'nothing to do; if it was revoked by mistake, only the CA can correct that',
    alb: 'Failed:ClientCertCrlHit',
  },
  revocation_unknown: {
    stage: 'identity',
    status: 403,
    says: 'no CRL and no OCSP response says whether a certificate on the path is revoked, and revocation.onUnknown is deny',
    cause: 'a CRL or OCSP source cannot be reached, or its answer is too old',
    client: null,
    gateway:
      'check that the gateway can reach the source. In an emergency revocation.onUnknown: allow lets in every client whose status is unknown, revoked ones too',
    alb: 'Failed:ClientCertCrlError',
  },
  record_flood: {
    stage: 'live',
    status: 403,
    says: 'the open connection sent more TLS records with little or no data (KeyUpdates, empty records, records of a few bytes) in a second than limits.smallRecords allows for one connection',
    cause: 'a client that writes its messages a few bytes at a time, or an attack',
    client: 'buffer its writes',
    gateway: 'if the client is legitimate, raise limits.smallRecords',
    alb: 'Failed:Rejected',
  },
} as const satisfies Record<string, DenyReason>);

export type DenyReasonName = keyof typeof denyReasons;
