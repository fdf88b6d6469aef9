/** Writes PKCS#12 files (RFC 7292): AES-256 and PBKDF2, or the form that older Windows and Java versions read. */
import { createHash, createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { derElement, tags } from '../../pki/der-cursor.ts';
import { derInteger, derOid, derSequence } from '../../pki/der-writer.ts';
import { type Encrypted, encryptPbes2 } from '../pbes2.ts';
import { pkcs12Key } from './key-derivation.ts';
import { encryptTripleDes } from './legacy-encryption.ts';
import { pkcs12Types } from './reader.ts';

export interface Pkcs12Parts {
  /** DER: the certificate of the key, then its chain. */
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]];
  readonly key: KeyObject;
  readonly password: string;
  /** friendlyName of key and certificate. */
  readonly name?: string | undefined;
  /** 3DES with SHA-1 instead of AES-256 with SHA-256. */
  readonly legacy?: boolean | undefined;
}

interface Form {
  readonly encrypt: (plaintext: Uint8Array) => Encrypted;
  readonly macHash: 'sha1' | 'sha256';
  readonly iterations: number;
}

/**
 * Each of the three derivations: certificates, key, MAC. .NET refuses a file with more than 300,000 in all, and the
 * legacy form is for programs that were written when 2000 was usual.
 */
const iterations = { modern: 100_000, legacy: 2048 } as const;

/** Checks nothing: the caller ensures that the key is that of the first certificate. */
export function writePkcs12({ certificates, key, password, name, legacy = false }: Pkcs12Parts): Buffer {
  const count = legacy ? iterations.legacy : iterations.modern;
  const encrypt = legacy ? encryptTripleDes : encryptPbes2;
  const form: Form = {
    encrypt: (plaintext) => encrypt(plaintext, { password, iterations: count }),
    macHash: legacy ? 'sha1' : 'sha256',
    iterations: count,
  };
  const [leaf] = certificates;
  const attributes = attributesOf(createHash('sha1').update(leaf).digest(), name);
  const certificateBags = certificates.map((der, index) => certBag(der, index === 0 ? attributes : []));
  const safe = derSequence(
    encryptedContents(derSequence(...certificateBags), form),
    plainContents(derSequence(keyBag(key, attributes, form))),
  );
  return derSequence(derInteger(3), plainContents(safe), macOf(safe, password, form));
}

/** localKeyId joins the key with its certificate; the SHA-1 of the certificate is what OpenSSL writes. */
function attributesOf(localKeyId: Uint8Array, name: string | undefined): Buffer[] {
  const attribute = (oid: string, value: Uint8Array) => derSequence(derOid(oid), derElement(tags.set, value));
  const id = attribute(pkcs12Types.localKeyId, derElement(tags.octetString, localKeyId));
  if (name === undefined) return [id];
  return [id, attribute(pkcs12Types.friendlyName, derElement(0x1e, Buffer.from(name, 'utf16le').swap16()))];
}

function bag(oid: string, value: Uint8Array, attributes: readonly Uint8Array[]): Buffer {
  const set = attributes.length === 0 ? [] : [derElement(tags.set, ...attributes)];
  return derSequence(derOid(oid), derElement(0xa0, value), ...set);
}

function certBag(der: Uint8Array, attributes: readonly Uint8Array[]): Buffer {
  const value = derElement(0xa0, derElement(tags.octetString, der));
  return bag(pkcs12Types.certBag, derSequence(derOid(pkcs12Types.x509Certificate), value), attributes);
}

function keyBag(key: KeyObject, attributes: readonly Uint8Array[], { encrypt }: Form): Buffer {
  const plaintext = key.export({ type: 'pkcs8', format: 'der' });
  const { algorithm, ciphertext } = encrypt(plaintext);
  plaintext.fill(0);
  const value = derSequence(algorithm, derElement(tags.octetString, ciphertext));
  return bag(pkcs12Types.shroudedKeyBag, value, attributes);
}

function plainContents(contents: Uint8Array): Buffer {
  return derSequence(derOid(pkcs12Types.data), derElement(0xa0, derElement(tags.octetString, contents)));
}

function encryptedContents(contents: Uint8Array, { encrypt }: Form): Buffer {
  const { algorithm, ciphertext } = encrypt(contents);
  const encrypted = derSequence(derOid(pkcs12Types.data), algorithm, derElement(0x80, ciphertext));
  const data = derSequence(derInteger(0), encrypted);
  return derSequence(derOid(pkcs12Types.encryptedData), derElement(0xa0, data));
}

const hashOids = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const;

function macOf(contents: Uint8Array, password: string, { macHash: hash, iterations: count }: Form): Buffer {
  const salt = randomBytes(16);
  const length = hash === 'sha1' ? 20 : 32;
  const key = pkcs12Key({ password, salt, id: 3, iterations: count, length, hash });
  const digest = createHmac(hash, key).update(contents).digest();
  const algorithm = derSequence(derOid(hashOids[hash]), derElement(0x05));
  return derSequence(
    derSequence(algorithm, derElement(tags.octetString, digest)),
    derElement(tags.octetString, salt),
    derInteger(count),
  );
}
