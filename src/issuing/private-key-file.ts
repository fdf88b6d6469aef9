/** Private keys as PKCS#8 PEM (RFC 5958), with or without a passphrase. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derSequence } from '../pki/der-writer.ts';
import { toPemBlock } from '../pki/pem.ts';
import { encryptPbes2 } from './pbes2.ts';

/** Of PBKDF2 with HMAC-SHA-256, as OWASP recommends for passwords: the file may be copied and tried without limit. */
const iterations = 600_000;

/** With a passphrase: encrypted with AES-256 and PBKDF2. */
export function privateKeyPem(key: KeyObject, passphrase: string | null): string {
  if (passphrase === null) return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const plaintext = key.export({ type: 'pkcs8', format: 'der' });
  const { algorithm, ciphertext } = encryptPbes2(plaintext, { password: passphrase, iterations });
  plaintext.fill(0);
  return toPemBlock(
    derSequence(algorithm, derElement(tags.octetString, ciphertext)),
    'ENCRYPTED PRIVATE KEY',
  );
}

export type PrivateKeyFault = 'passphrase needed' | 'wrong passphrase' | 'no private key';

/** Whether a PEM file has a key that needs a passphrase: PKCS#8 (RFC 7468 §11), or the older form of RFC 1421. */
export function isEncryptedPem(text: string): boolean {
  return /^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
}

/** A key file in PEM (PKCS#8, PKCS#1, SEC 1) or in DER as PKCS#8. Returns the fault instead of throwing it. */
export function readPrivateKey(bytes: Uint8Array, passphrase: string | null): KeyObject | PrivateKeyFault {
  const isPem = bytes[0] !== 0x30;
  const text = isPem ? Buffer.from(bytes).toString('latin1') : '';
  const isEncrypted = isEncryptedPem(text);
  if (isEncrypted && passphrase === null) return 'passphrase needed';
  try {
    return createPrivateKey({
      key: Buffer.from(bytes),
      ...(isPem ? { format: 'pem' } : { format: 'der', type: 'pkcs8' }),
      ...(isEncrypted && passphrase !== null ? { passphrase } : {}),
    } as Parameters<typeof createPrivateKey>[0]);
  } catch {
    return isEncrypted ? 'wrong passphrase' : 'no private key';
  }
}
