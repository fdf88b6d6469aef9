/** Decryption with a password: PBES2 (RFC 8018 §6.2), and for old files the schemes of PKCS#12 (RFC 7292 appendix C). */
import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import forge from 'node-forge';
import { schemes } from '../pbes2.ts';
import { type BerElement, BerError, elementsOf, integerOf, isInteger, octetsOf, oidOf } from './ber.ts';
import { bufferOf, pkcs12Key } from './key-derivation.ts';
import { tripleDes } from './legacy-encryption.ts';

/** The scheme is known, but this program does not implement it, or limits it. The message has its name. */
export class UnsupportedScheme extends Error {}

/** A key derived from a password, to decrypt with. */
export interface Decryption {
  /** For people: `AES-256-CBC with PBKDF2 (HMAC-SHA-256, 100000 iterations)`. */
  readonly scheme: string;
  /** Throws an Error if the padding is wrong, which a wrong password is the usual reason for. */
  decrypt(ciphertext: Uint8Array): Buffer;
}

/** Iterations beyond these would only keep the processor busy: a file states them, and it may be hostile. */
const maxIterations = { pbkdf2: 10_000_000, pkcs12: 1_000_000 } as const;

/** OID of the HMAC (RFC 8018 §B.1) → its hash, as OpenSSL calls it. */
export const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  [schemes.hmacSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

interface BlockCipher {
  readonly name: string;
  /** OpenSSL's name; null: RC2, which OpenSSL 3 has in its legacy provider only. */
  readonly cipher: string | null;
  /** Octets. */
  readonly key: number;
  readonly iv: number;
}

/** Ciphers of PBES2 (RFC 8018 §B.2) by OID. */
const pbes2Ciphers: Readonly<Record<string, BlockCipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'AES-128-CBC', cipher: 'aes-128-cbc', key: 16, iv: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'AES-192-CBC', cipher: 'aes-192-cbc', key: 24, iv: 16 },
  [schemes.aes256Cbc]: { name: 'AES-256-CBC', cipher: 'aes-256-cbc', key: 32, iv: 16 },
  '1.2.840.113549.3.7': { name: '3DES', cipher: 'des-ede3-cbc', key: 24, iv: 8 },
};

/** Schemes of PKCS#12 by OID; the key length of RC2 is its effective length, too. */
const pkcs12Ciphers: Readonly<Record<string, BlockCipher>> = {
  [tripleDes]: { name: '3DES', cipher: 'des-ede3-cbc', key: 24, iv: 8 },
  '1.2.840.113549.1.12.1.5': { name: 'RC2-128', cipher: null, key: 16, iv: 8 },
  '1.2.840.113549.1.12.1.6': { name: 'RC2-40', cipher: null, key: 5, iv: 8 },
};

/** Schemes that are recognised, to be named in an error. */
const unsupported: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.12.1.1': 'RC4-128',
  '1.2.840.113549.1.12.1.2': 'RC4-40',
  '1.2.840.113549.1.12.1.4': '3DES with two keys',
  '1.2.840.113549.1.5.3': 'DES with MD5 (PBES1)',
  '1.2.840.113549.1.5.10': 'DES with SHA-1 (PBES1)',
  '1.3.6.1.4.1.11591.4.11': 'scrypt',
};

/**
 * `algorithm`: an AlgorithmIdentifier; `password`: null is the absent password of PKCS#12, other than the empty one.
 * Throws UnsupportedScheme, or BerError for malformed parameters.
 */
export function decryptionOf(algorithm: BerElement | undefined, password: string | null): Decryption {
  const [oidElement, parameters] = elementsOf(algorithm);
  const oid = oidOf(oidElement);
  if (oid === schemes.pbes2) return readPbes2(parameters, password ?? '');
  const cipher = pkcs12Ciphers[oid];
  if (cipher === undefined) throw new UnsupportedScheme(nameOf(oid));
  const [saltElement, count] = elementsOf(parameters);
  const salt = octetsOf(saltElement);
  const iterations = limited(integerOf(count), 'pkcs12');
  const derive = (id: number, length: number) =>
    pkcs12Key({ password, salt, id, iterations, length, hash: 'sha1' });
  return {
    scheme: `${cipher.name} with the key derivation of PKCS#12 (SHA-1, ${iterations} iterations)`,
    decrypt: (ciphertext) =>
      decipher(cipher, { key: derive(1, cipher.key), iv: derive(2, cipher.iv), ciphertext }),
  };
}

function readPbes2(parameters: BerElement | undefined, password: string): Decryption {
  const [derivation, encryption] = elementsOf(parameters);
  const [cipherOid, iv] = elementsOf(encryption);
  const oid = oidOf(cipherOid);
  const cipher = pbes2Ciphers[oid];
  if (cipher === undefined) throw new UnsupportedScheme(nameOf(oid));
  const { description, key } = readPbkdf2(derivation, password, cipher.key);
  return {
    scheme: `${cipher.name} with ${description}`,
    decrypt: (ciphertext) => decipher(cipher, { key: key(), iv: octetsOf(iv), ciphertext }),
  };
}

/** Reads a key derivation function, which must be PBKDF2; `length` of the key: octets. */
export function readPbkdf2(
  algorithm: BerElement | undefined,
  password: string,
  length: number,
): { readonly description: string; key(): Buffer } {
  const [oidElement, parameters] = elementsOf(algorithm);
  const oid = oidOf(oidElement);
  if (oid !== schemes.pbkdf2) throw new UnsupportedScheme(nameOf(oid));
  const [saltElement, count, ...rest] = elementsOf(parameters);
  const salt = octetsOf(saltElement);
  const iterations = limited(integerOf(count), 'pbkdf2');
  const [stated, prf] = isInteger(rest[0]) ? rest : [undefined, ...rest];
  if (stated !== undefined && integerOf(stated) !== length)
    throw new BerError('a key length that is not the cipher’s');
  // The default is HMAC with SHA-1 (§A.2).
  const prfOid = prf === undefined ? '1.2.840.113549.2.7' : oidOf(elementsOf(prf)[0]);
  const hash = hmacs[prfOid];
  if (hash === undefined) throw new UnsupportedScheme(nameOf(prfOid));
  return {
    description: `PBKDF2 (HMAC-${hash.replace('sha', 'SHA-')}, ${iterations} iterations)`,
    key: () => pbkdf2Sync(password, salt, iterations, length, hash),
  };
}

/** Throws UnsupportedScheme beyond the limit. */
export function limited(iterations: number, kind: keyof typeof maxIterations): number {
  if (iterations < 1) throw new BerError('an iteration count of 0');
  if (iterations > maxIterations[kind])
    throw new UnsupportedScheme(`${iterations} iterations, more than ${maxIterations[kind]}`);
  return iterations;
}

function nameOf(oid: string): string {
  return unsupported[oid] ?? `the algorithm with the OID ${oid}`;
}

function decipher(
  { cipher, key: length }: BlockCipher,
  { key, iv, ciphertext }: { readonly key: Buffer; readonly iv: Buffer; readonly ciphertext: Uint8Array },
): Buffer {
  if (cipher !== null) {
    const decryption = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decryption.update(ciphertext), decryption.final()]);
  }
  const rc2 = forge.rc2.createDecryptionCipher(key.toString('latin1'), length * 8);
  rc2.start(iv.toString('latin1'));
  rc2.update(bufferOf(ciphertext));
  // forge would check the last octet of the padding only.
  if (!rc2.finish(() => true)) throw new Error('an incomplete block');
  return withoutPadding(Buffer.from(rc2.output.getBytes(), 'latin1'));
}

/** RFC 8018 §6.1.1, for blocks of 8 octets. */
function withoutPadding(octets: Buffer): Buffer {
  const count = octets.at(-1) ?? 0;
  const isPadding = count >= 1 && count <= 8 && octets.subarray(-count).every((octet) => octet === count);
  if (!isPadding) throw new Error('wrong padding');
  return octets.subarray(0, -count);
}
