/** The groups of ephemeral key exchanges: IANA's registry of TLS supported groups. */

export interface NamedGroup {
  /** null: a Diffie-Hellman group that the server made itself. */
  readonly code: number | null;
  /** `x25519`, `secp256r1`, `ffdhe2048`; `dh 1024 bits`: a group of the server's own. */
  readonly name: string;
  /** Bits of an RSA key of the same strength (NIST SP 800-57 part 1, table 2). */
  readonly strength: number;
}
