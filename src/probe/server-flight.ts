/** What a server sends in its half of a handshake. */
import type { CipherSuite } from './cipher-suites.ts';
import type { NamedGroup } from './named-groups.ts';
import type { VersionName } from './versions.ts';

/** IANA's registry of TLS signature schemes; `name`: `rsa_pkcs1_sha256`, or `0x0102` if the code has no name. */
export interface SignatureScheme {
  readonly code: number;
  readonly name: string;
}

export interface KeyExchange {
  readonly group: NamedGroup;
  /** What the server signed the handshake with; null: TLS 1.1 and older, which have one scheme, or an anonymous suite. */
  readonly signatureScheme: SignatureScheme | null;
}

/** The request for a client certificate. */
export interface CertificateRequest {
  /** `rsa_sign`, `ecdsa_sign`; empty in TLS 1.3, which has none. */
  readonly certificateTypes: readonly string[];
  /** In the server's order; empty before TLS 1.2. */
  readonly signatureSchemes: readonly SignatureScheme[];
  /** The DER of each Name, as sent, in the server's order. It may be no valid Name: it is not decoded here. */
  readonly authorities: readonly Buffer[];
}

export interface ServerFlight {
  readonly version: VersionName;
  readonly suite: CipherSuite;
  /** null: none was agreed on. Printable ASCII. */
  readonly alpn: string | null;
  /** Length of the session id: 0 means that the server offers no resumption by session id. */
  readonly sessionIdBytes: number;
  /** renegotiation_info (RFC 5746) was sent; null: TLS 1.3, which has no renegotiation. */
  readonly secureRenegotiation: boolean | null;
  /** extended_master_secret (RFC 7627) was sent; null: TLS 1.3, which needs none. */
  readonly extendedMasterSecret: boolean | null;
  /** The DER of each certificate in the order sent. It may be no valid certificate: it is not decoded here. */
  readonly certificates: readonly Buffer[];
  /** null: the suite has no ephemeral key exchange. */
  readonly keyExchange: KeyExchange | null;
  /** null: no client certificate is asked for. */
  readonly certificateRequest: CertificateRequest | null;
}
