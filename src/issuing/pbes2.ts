/** Encryption with a password by PBES2 (RFC 8018 §6.2): AES-256, and PBKDF2 with HMAC-SHA-256. */
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derInteger, derOid, derSequence } from '../pki/der-writer.ts';

/** Object identifiers of the schemes that are written. */
export const schemes = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
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
