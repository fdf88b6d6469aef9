/** The cipher suites that are probed for, and what the name of each says. */
import { cipherSuiteNames } from '../handshake/cipher-suite-names.ts';
import type { VersionName } from './versions.ts';

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

/** Where a part of the name stands → the reason. The gravest comes first. */
const insecureParts: readonly (readonly [part: RegExp, reason: string])[] = [
  [/_WITH_NULL_/, 'no encryption'],
  [/_anon_/, 'no authentication'],
  [/_EXPORT_/, 'export grade'],
  [/_RC2_/, 'RC2'],
  [/_DES_/, 'DES'],
  [/_RC4_/, 'RC4'],
  [/_3DES_/, '3DES'],
  [/_IDEA_/, 'IDEA'],
];

/** Part of the name → strength in bits; a number in the name stands for itself. */
const strengths: readonly (readonly [part: RegExp, bits: number])[] = [
  [/_NULL_/, 0],
  [/_(?:RC4_40|RC2_CBC_40|DES40)_/, 40],
  [/_3DES_/, 112],
  [/_DES_/, 56],
  [/_(?:CHACHA20|\w+_256)_/, 256],
];

function describeSuite(code: number, name: string): CipherSuite {
  const [, keyExchange = 'any'] = /^TLS_(\w+?)(?:_EXPORT)?_WITH_/.exec(name) ?? [];
  return {
    code,
    name,
    keyExchange,
    // Anonymous suites are ephemeral, too (RFC 5246 §7.4.3).
    forwardSecrecy: /^(?:any|ECDHE_|DHE_|(?:EC)?DH_anon)/.test(keyExchange),
    aead: /_(?:GCM|CCM|POLY1305)/.test(name),
    bits: strengths.find(([part]) => part.test(name))?.[1] ?? 128,
    insecure: insecureParts.find(([part]) => part.test(name))?.[1] ?? null,
  };
}

/** The strong ones first, so that a server that takes the client's order shows its best suite first. */
const table: readonly CipherSuite[] = Object.entries(cipherSuiteNames)
  .map(([code, name]) => describeSuite(Number(code), name))
  .toSorted((one, other) => weakness(one) - weakness(other) || other.bits - one.bits);

function weakness({ forwardSecrecy, aead, insecure, keyExchange, name }: CipherSuite): number {
  const isRare = /_(?:ARIA|CAMELLIA|CCM|SEED)/.test(name) || /^(?:DH|ECDH|DHE_DSS)/.test(keyExchange);
  return [insecure !== null, !forwardSecrecy, !aead, isRare].reduce((sum, is) => sum * 2 + (is ? 1 : 0), 0);
}

/** null: not in the table. */
export function cipherSuite(code: number): CipherSuite | null {
  return table.find((suite) => suite.code === code) ?? null;
}

/** Suites that a server may choose in this version, the strong ones first. */
export function suitesOf(version: VersionName): readonly CipherSuite[] {
  return table.filter((suite) => {
    const isOf13 = suite.keyExchange === 'any';
    if (version === 'TLS 1.3' || isOf13) return version === 'TLS 1.3' && isOf13;
    // AEAD and hashes other than SHA-1 came with TLS 1.2 (RFC 5246 §7.4.1.4, RFC 5289 §2).
    return version === 'TLS 1.2' || !(suite.aead || /_SHA(?:256|384)$/.test(suite.name));
  });
}
