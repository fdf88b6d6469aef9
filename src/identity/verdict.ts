/** The verdict on a caller, and the one table of reasons a connection can be refused or fail for. */

type Stage = 'accept' | 'handshake' | 'identity' | 'live';

interface DenyReason {
  readonly stage: Stage;
  /** Status of the refusal over HTTP; the page never says why. */
  readonly status: 400 | 403;
  readonly says: string;
  /** The nearest `tls_verify_status` of AWS ALB's connection log, for those who read both. */
  readonly alb: string;
}

/** Reason → everything that is said about it: the union type, metric label, log field and docs come from here. */
export const denyReasons = {
  address_refused: {
    stage: 'accept',
    status: 403,
    says: 'the source address is not in clients.allowlist',
    alb: 'Failed:Rejected',
  },
  too_many_connections: {
    stage: 'accept',
    status: 403,
    says: 'limits.connections is reached',
    alb: 'Failed:Rejected',
  },
  too_many_handshakes: {
    stage: 'accept',
    status: 403,
    says: 'limits.unfinishedHandshakes is reached and the allowlist does not name the address',
    alb: 'Failed:Rejected',
  },
  connections_per_address: {
    stage: 'accept',
    status: 403,
    says: 'the address (of IPv6 its /64) has limits.connectionsPerAddress connections open and the allowlist does not name it',
    alb: 'Failed:Rejected',
  },
  handshakes_per_address: {
    stage: 'accept',
    status: 403,
    says: 'limits.unfinishedHandshakesPerAddress is reached by the address (of IPv6 its /64) and the allowlist does not name it',
    alb: 'Failed:Rejected',
  },
  handshake_cost: {
    stage: 'accept',
    status: 403,
    says: 'connections of the address took 100 ms of CPU time more than ordinary ones, the allowlist does not name it, and it has to wait: it may take 5 % of a relay thread',
    alb: 'Failed:Rejected',
  },
  handshake_rate: {
    stage: 'accept',
    status: 403,
    says: 'the address began more than limits.handshakeRate handshakes in a second and the allowlist does not name it',
    alb: 'Failed:Rejected',
  },
  overloaded: {
    stage: 'accept',
    status: 403,
    says: 'for half a second every message has waited longer than limits.delay for its turns: no new connection until that is over',
    alb: 'Failed:Rejected',
  },
  no_certificate: {
    stage: 'identity',
    status: 400,
    says: 'the client sent no certificate',
    alb: 'Failed:ClientCertRejected',
  },
  untrusted: {
    stage: 'identity',
    status: 403,
    says: 'no path leads from the leaf to a trust anchor over the anchors’ own certificates',
    alb: 'Failed:ClientCertUntrusted',
  },
  chain_refused: {
    stage: 'identity',
    status: 403,
    says: 'our own path passed, OpenSSL’s verification of the chain did not',
    alb: 'Failed:ClientCertInvalid',
  },
  not_yet_valid: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path is not valid yet',
    alb: 'Failed:ClientCertNotYetValid',
  },
  expired: {
    stage: 'identity',
    status: 403,
    says: 'a certificate on the path has expired',
    alb: 'Failed:ClientCertExpired',
  },
  wrong_purpose: {
    stage: 'identity',
    status: 403,
    says: 'the leaf has an extended key usage without clientAuth, or a key usage without digitalSignature',
    alb: 'Failed:ClientCertPurposeInvalid',
  },
  ca_as_leaf: {
    stage: 'identity',
    status: 403,
    says: 'the client presented a CA certificate',
    alb: 'Failed:ClientCertInvalid',
  },
  name_constraints: {
    stage: 'identity',
    status: 403,
    says: 'a name of the leaf, or of a CA below, is not among those that a CA on the path may certify (RFC 5280 §4.2.1.10)',
    alb: 'Failed:ClientCertInvalid',
  },
  weak_key: {
    stage: 'identity',
    status: 403,
    says: 'the leaf’s key is RSA below 2048 bits, EC other than P-256, P-384, P-521, or DSA',
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  weak_signature: {
    stage: 'identity',
    status: 403,
    says: 'the leaf is signed with MD5 or SHA-1',
    alb: 'Failed:ClientCertTypeUnsupported',
  },
  unsupported_extension: {
    stage: 'identity',
    status: 403,
    says: 'the leaf has a critical extension that is not processed here (RFC 5280 §6.1.4)',
    alb: 'Failed:ClientCertInvalid',
  },
  pin_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no key on the validated path is in clients.pins',
    alb: 'Failed:ClientCertRejected',
  },
  match_mismatch: {
    stage: 'identity',
    status: 403,
    says: 'no object of clients.match fits the leaf',
    alb: 'Failed:ClientCertRejected',
  },
  revoked: {
    stage: 'identity',
    status: 403,
    says: 'a CRL or an OCSP responder says that a certificate on the path is revoked',
    alb: 'Failed:ClientCertCrlHit',
  },
  revocation_unknown: {
    stage: 'identity',
    status: 403,
    says: 'no CRL and no OCSP answer tells whether a certificate on the path is revoked, and revocation.onUnknown is deny',
    alb: 'Failed:ClientCertCrlError',
  },
  record_flood: {
    stage: 'live',
    status: 403,
    says: 'the open connection sent more TLS records with little or no data (KeyUpdates, empty records, records of a few bytes) than limits.smallRecords allows',
    alb: 'Failed:Rejected',
  },
} as const satisfies Record<string, DenyReason>;

export type DenyReasonName = keyof typeof denyReasons;

/** What ends a connection before anyone can judge it: the audit's verdict is `failed`. */
export const failureReasons = {
  proxy_header: 'a trusted network sent no valid PROXY header, or not in time',
  handshake_timeout: 'the handshake did not finish within timeouts.handshake',
  handshake_too_large:
    'the client’s part of the handshake was larger than limits.handshakeBytes, or in more than 64 records',
  certificates_refused:
    'the allowlist does not name the address, and the client sent certificates that are costly to verify: more than four, CA certificates of more than 8 KiB, RSA beyond 8192 bits or with an exponent beyond 32 bits, EC other than P-256, P-384, P-521, or what cannot be read',
  protocol_error: 'TLS failed: openssl_code says how',
  reset: 'the client closed or reset the connection before the handshake was done',
  shutdown: 'the gateway stopped before the handshake was done',
} as const;

export type FailureReasonName = keyof typeof failureReasons;

/** The outcome of a judgement: a permit, or a reason with the operator's detail (never shown to the client). */
export type Verdict<Permit> = { readonly allow: true; readonly permit: Permit } | Denial;

export interface Denial {
  readonly allow: false;
  readonly reason: DenyReasonName;
  readonly detail: string;
}

export function deny(reason: DenyReasonName, detail: string = denyReasons[reason].says): Denial {
  return { allow: false, reason, detail };
}
