/** The cipher suites that are probed for, from IANA's registry of TLS cipher suites, and what is known of each by its name. */

export interface CipherSuite {
  readonly code: number;
  /** IANA's name. */
  readonly name: string;
  /** `ECDHE_RSA`, `RSA`, `DH_anon`; `any`: a suite of TLS 1.3, which leaves it to extensions. */
  readonly keyExchange: string;
  /** The key exchange is ephemeral. */
  readonly forwardSecrecy: boolean;
  readonly aead: boolean;
  /** Strength of the cipher: 112 for 3DES, 0 for NULL. */
  readonly bits: number;
  /** Why it must not be used, such as `RC4`; null: nothing. CBC and RSA key exchange are weak, not insecure. */
  readonly insecure: string | null;
}

export function cipherSuite(code: number): CipherSuite | null {
  throw new Error(`not built: ${code}`);
}
