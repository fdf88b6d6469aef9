/** Replaces the MAC of a PKCS#12 file by PBMAC1 (RFC 9579), which the `openssl` of many systems cannot write yet. */
import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger, derOid } from '../../../src/pki/der-writer.ts';

const sequence = (...contents: Uint8Array[]) => derElement(tags.sequence, ...contents);
const octets = (bytes: Uint8Array) => derElement(tags.octetString, bytes);
const none = derElement(0x05);

const hmacs = { sha256: '1.2.840.113549.2.9', sha512: '1.2.840.113549.2.11' } as const;

export interface Pbmac1Options {
  readonly password: string;
  readonly hash?: keyof typeof hmacs;
  readonly iterations?: number;
  /** What the file says instead of `iterations`. */
  readonly statedIterations?: number;
  /** Octets of the key; null: not stated, which RFC 9579 does not allow. */
  readonly keyLength?: number | null;
}

/** `file`: DER as writePkcs12 writes it. */
export function withPbmac1(file: Uint8Array, options: Pbmac1Options): Buffer {
  const { password, hash = 'sha256', iterations = 2048, keyLength = 32 } = options;
  const { statedIterations = iterations } = options;
  const cursor = new DerCursor(file);
  cursor.open(file.length, tags.sequence);
  const version = cursor.element(file.length, tags.integer);
  const authSafe = cursor.element(file.length, tags.sequence);
  const salt = randomBytes(16);
  const key = pbkdf2Sync(password, salt, iterations, keyLength ?? 32, hash);
  const prf = sequence(derOid(hmacs[hash]), none);
  const length = keyLength === null ? [] : [derInteger(keyLength)];
  const derivation = sequence(
    derOid('1.2.840.113549.1.5.12'),
    sequence(octets(salt), derInteger(statedIterations), ...length, prf),
  );
  const parameters = sequence(derivation, prf);
  const digest = createHmac(hash, key).update(contentsOf(authSafe)).digest();
  const digestInfo = sequence(sequence(derOid('1.2.840.113549.1.5.14'), parameters), octets(digest));
  return sequence(version, authSafe, sequence(digestInfo, octets(Buffer.from('NOT USED')), derInteger(1)));
}

/** The octets in a ContentInfo of type data. */
function contentsOf(info: Uint8Array): Uint8Array {
  const cursor = new DerCursor(info);
  cursor.open(info.length, tags.sequence);
  cursor.read(info.length, tags.oid);
  cursor.open(info.length, 0xa0);
  cursor.read(info.length, tags.octetString);
  return cursor.contents();
}
