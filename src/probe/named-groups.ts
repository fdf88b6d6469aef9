/** The groups of ephemeral key exchanges: IANA's registry of TLS supported groups. */
import type { VersionName } from './versions.ts';

export interface NamedGroup {
  /** null: a Diffie-Hellman group that the server sends with its parameters. */
  readonly code: number | null;
  /** `x25519`, `secp256r1`, `ffdhe2048`; `dh 1024 bits`: a group with parameters of the server. */
  readonly name: string;
  /** Bits of an RSA key of the same strength (NIST SP 800-57 part 1, table 2). */
  readonly strength: number;
}

/** The order in which they are offered: the common ones first. */
const table: readonly (readonly [code: number, name: string, strength: number])[] = [
  [0x11ec, 'X25519MLKEM768', 3072],
  [0x11eb, 'SecP256r1MLKEM768', 3072],
  [0x11ed, 'SecP384r1MLKEM1024', 7680],
  [29, 'x25519', 3072],
  [23, 'secp256r1', 3072],
  [30, 'x448', 7680],
  [24, 'secp384r1', 7680],
  [25, 'secp521r1', 15360],
  [31, 'brainpoolP256r1tls13', 3072],
  [32, 'brainpoolP384r1tls13', 7680],
  [33, 'brainpoolP512r1tls13', 15360],
  [26, 'brainpoolP256r1', 3072],
  [27, 'brainpoolP384r1', 7680],
  [28, 'brainpoolP512r1', 15360],
  [0x100, 'ffdhe2048', 2048],
  [0x101, 'ffdhe3072', 3072],
  [0x102, 'ffdhe4096', 4096],
  [0x103, 'ffdhe6144', 6144],
  [0x104, 'ffdhe8192', 8192],
  [0x200, 'MLKEM512', 3072],
  [0x201, 'MLKEM768', 7680],
  [0x202, 'MLKEM1024', 15360],
  [22, 'secp256k1', 3072],
  [13, 'sect571k1', 15360],
  [14, 'sect571r1', 15360],
  [11, 'sect409k1', 7680],
  [12, 'sect409r1', 7680],
  [9, 'sect283k1', 3072],
  [10, 'sect283r1', 3072],
  [8, 'sect239k1', 2048],
  [6, 'sect233k1', 2048],
  [7, 'sect233r1', 2048],
  [21, 'secp224r1', 2048],
  [20, 'secp224k1', 2048],
  [19, 'secp192r1', 1024],
  [18, 'secp192k1', 1024],
  [4, 'sect193r1', 1024],
  [5, 'sect193r2', 1024],
  [1, 'sect163k1', 1024],
  [2, 'sect163r1', 1024],
  [3, 'sect163r2', 1024],
  [15, 'secp160k1', 1024],
  [16, 'secp160r1', 1024],
  [17, 'secp160r2', 1024],
];

/** A code that is not in the table counts as strong as 128 bits: groups that are registered later are. */
export function namedGroup(code: number): NamedGroup {
  const [, name = hexCode(code), strength = 3072] = table.find(([known]) => known === code) ?? [];
  return { code, name, strength };
}

/** Groups that a server may choose in this version. */
export function groupsOf(version: VersionName): readonly NamedGroup[] {
  return table
    .filter(([code]) => {
      // RFC 8446 §4.2.7 and appendix B.3.1.4; ffdhe in TLS 1.2: RFC 7919.
      const isOnlyOf13 = code >= 0x200 || (code >= 31 && code <= 33);
      const isOf13 = isOnlyOf13 || (code >= 23 && code <= 25) || code === 29 || code === 30 || code >= 0x100;
      return version === 'TLS 1.3' ? isOf13 : !isOnlyOf13;
    })
    .map(([code]) => namedGroup(code));
}

export function hexCode(code: number): string {
  return `0x${code.toString(16).padStart(4, '0')}`;
}
