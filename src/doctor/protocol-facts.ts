/** What an endpoint offers on TLS: versions, cipher suites, key exchange, renegotiation. Plain values, for checks and grade. */

export const versionNames = ['SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'] as const;
export type VersionName = (typeof versionNames)[number];

export interface OfferedSuite {
  /** IANA name. */
  readonly name: string;
  readonly version: VersionName;
  /** An ephemeral key exchange. */
  readonly forwardSecrecy: boolean;
  readonly aead: boolean;
  /** Strength of the cipher's key. */
  readonly bits: number;
  /** Why it must not be used, such as `RC4`; null: nothing. */
  readonly insecure: string | null;
}

export interface ProtocolFacts {
  /** null: could not be tried here. */
  readonly offered: Readonly<Record<VersionName, boolean | null>>;
  readonly suites: readonly OfferedSuite[];
  /** Groups of (EC)DHE key exchanges; `strength`: bits of an RSA key that is as strong. */
  readonly groups: readonly { readonly name: string; readonly strength: number }[];
  /** Of the leaf's key, in the same measure; null: the certificate cannot be read. */
  readonly keyStrength: number | null;
  /** Whether the server renegotiates on the client's wish; null: could not be tried, or TLS 1.3 only. */
  readonly renegotiates: boolean | null;
  /** Whether it announces secure renegotiation (RFC 5746); null: no TLS 1.2 handshake. */
  readonly secureRenegotiation: boolean | null;
}
