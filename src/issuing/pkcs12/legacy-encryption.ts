/** The legacy encryption of PKCS#12 (RFC 7292 appendix C), 3DES and SHA-1: for Windows before Server 2019 and Java before 8u301. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { derElement, tags } from '../../pki/der-cursor.ts';
import { derInteger, derOid, derSequence } from '../../pki/der-writer.ts';
import type { Encrypted } from '../pbes2.ts';
import { pkcs12Key } from './key-derivation.ts';

/** pbeWithSHAAnd3-KeyTripleDES-CBC. */
export const tripleDes = '1.2.840.113549.1.12.1.3';

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
  return { algorithm: derSequence(derOid(tripleDes), parameters), ciphertext };
}
