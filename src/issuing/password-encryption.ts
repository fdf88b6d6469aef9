/** Encryption with a password: PBES2 (RFC 8018 §6.2), and the one scheme of PKCS#12 that every old reader knows. */
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derInteger, derOid } from '../pki/der-writer.ts';
import { pkcs12Key } from './pkcs12/key-derivation.ts';

/** Object identifiers of the schemes that are written. */
export const schemes = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  tripleDes: '1.2.840.113549.1.12.1.3',
} as const;

export interface Encrypted {
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Buffer;
  readonly ciphertext: Buffer;
}

/** PBES2 with AES-256-CBC and PBKDF2 with HMAC-SHA-256. */
export function encryptPbes2(
  plaintext: Uint8Array,
  { password, iterations }: { readonly password: string; readonly iterations: number },
): Encrypted {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const encryption = createCipheriv('aes-256-cbc', pbkdf2Sync(password, salt, iterations, 32, 'sha256'), iv);
  const ciphertext = Buffer.concat([encryption.update(plaintext), encryption.final()]);
  const prf = derSequence(derOid(schemes.hmacSha256), derElement(0x05));
  const derivation = derSequence(
    derOid(schemes.pbkdf2),
    derSequence(derElement(tags.octetString, salt), derInteger(iterations), prf),
  );
  const scheme = derSequence(derOid(schemes.aes256Cbc), derElement(tags.octetString, iv));
  return { algorithm: derSequence(derOid(schemes.pbes2), derSequence(derivation, scheme)), ciphertext };
}

/** 3DES with the key derivation of PKCS#12, which every reader of PKCS#12 knows. */
export function encryptTripleDes(
  plaintext: Uint8Array,
  { password, iterations }: { readonly password: string; readonly iterations: number },
): Encrypted {
  const salt = randomBytes(8);
  const derive = (id: number, length: number) =>
    pkcs12Key({ password, salt, id, iterations, length, hash: 'sha1' });
  const encryption = createCipheriv('des-ede3-cbc', derive(1, 24), derive(2, 8));
  const ciphertext = Buffer.concat([encryption.update(plaintext), encryption.final()]);
  const parameters = derSequence(derElement(tags.octetString, salt), derInteger(iterations));
  return { algorithm: derSequence(derOid(schemes.tripleDes), parameters), ciphertext };
}

export function derSequence(...contents: readonly Uint8Array[]): Buffer {
  return derElement(tags.sequence, ...contents);
}
